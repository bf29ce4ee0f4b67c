"""The health service, in the way that load balancers and NVIDIA's own probe ask."""

from __future__ import annotations

import grpc
import pytest
import riva.client as riva
import riva.client.proto.health_pb2 as wire
import riva.client.proto.health_pb2_grpc as wire_grpc

from pipeline.server.main import SERVICES

SERVING = wire.HealthCheckResponse.ServingStatus.SERVING


@pytest.fixture(scope="module")
def health(speech_server: str) -> wire_grpc.HealthStub:
    return wire_grpc.HealthStub(riva.Auth(uri=speech_server).channel)


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_the_server_and_each_service_serve(health: wire_grpc.HealthStub, service: str) -> None:
    request = wire.HealthCheckRequest(service=service)
    assert health.Check(request).status == SERVING
    watching = health.Watch(request)
    assert next(watching).status == SERVING
    watching.cancel()


def test_an_unknown_service_is_not_found_and_may_be_watched(health: wire_grpc.HealthStub) -> None:
    request = wire.HealthCheckRequest(service="nvidia.riva.nmt.RivaTranslation")
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(request)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watching = health.Watch(request)
    assert next(watching).status == 3  # SERVICE_UNKNOWN
    watching.cancel()
