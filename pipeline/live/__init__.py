"""The gateway: the service that browsers and phone systems talk to, about the assistant and about live calls."""
