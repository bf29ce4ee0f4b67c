// The Alerts page's list: verdicts go to the page's script, which shows what they make of each rule.
import { alertList } from "./alert_list.js";

export function mount(component) {
  let latest = component;
  const root = component.parentElement.querySelector(".ov-alerts_page");
  const list = alertList({
    name: "Latest",
    few: 25,
    onJudge: (alert, verdict) => {
      latest.setTriggerValue("judged", { id: alert.id, verdict });
      judged = new Map([...judged, [alert.id, verdict]]);
      show();
      list.next();
    },
    onOpen: (alert) => latest.setTriggerValue("opened", alert.call_id),
  });
  let judged = new Map(); // shown at once; the script's answer says the same a moment later
  root.replaceChildren(list.root);

  function show() {
    list.set(latest.data.alerts.map((alert) => ({ ...alert, verdict: judged.get(alert.id) ?? alert.verdict })));
  }

  show();
  return {
    update(component) {
      latest = component;
      show();
    },
    stop: () => list.stop(),
  };
}
