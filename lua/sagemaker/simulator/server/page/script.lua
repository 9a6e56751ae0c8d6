--- The page of a running simulator: asks for its state every second and shows what has changed.
--
-- Reads GET state; what a person does goes to POST advance, alarms/NAME, knobs and call/OPERATION.
-- Everything that comes from the simulator is put in as text, never as markup. chart.lua draws.

return [==[
"use strict";
const $ = (id) => document.getElementById(id);
let state = null, chosen = null, drawn = {}, ran = 0;

// An element of text, elements and attributes.
const h = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child || child === ""));
  return element;
};

// Puts children into a place when what they show has changed; who had the focus keeps it.
const show = (id, value, make) => {
  const seen = JSON.stringify(value);
  if (drawn[id] === seen) return;
  drawn[id] = seen;
  const focus = document.activeElement && document.activeElement.id;
  $(id).replaceChildren(...[].concat(make(value)));
  if (focus && focus !== document.activeElement.id && $(focus)) $(focus).focus();
};

const pad = (n) => String(Math.floor(n)).padStart(2, "0");
const span = (seconds) => {
  const s = Math.max(0, Math.round(seconds)), hours = Math.floor(s / 3600);
  return (hours ? hours + ":" + pad(s / 60 % 60) : Math.floor(s / 60)) + ":" + pad(s % 60);
};
const hour = (at) => new Date(at * 1000).toISOString().slice(11, 19);
const percent = (share) => Math.round(share * 10) / 10 + " %";

const call = async (path, body) => {
  const answer = await fetch(path, body === undefined ? { cache: "no-store" } :
    { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body) });
  const text = await answer.text();
  let value;
  try { value = JSON.parse(text); } catch { value = { message: text.slice(0, 200) }; }
  if (!answer.ok) {
    throw new Error(value.message || value.Message || "HTTP status " + answer.status);
  }
  return value;
};

const trouble = (text) => {
  $("trouble").textContent = text || "";
  $("trouble").hidden = !text;
};

// Does something to the simulator and shows what came of it.
const act = async (path, body) => {
  try {
    await call(path, body);
    await refresh();
  } catch (failure) {
    trouble(failure.message);
  }
};

const STAGES = {
  provision: "starting the new fleet", activate: "turning on traffic", bake: "baking",
  wait: "waiting to remove the old fleet", remove: "removing the old fleet",
  rollback: "rolling back", scale: "scaling",
};
const stageText = (stage) => {
  if (!stage) return "";
  const kind = typeof stage === "string" ? stage : stage.kind;
  const steps = stage.step && stage.steps > 1 ? `, step ${stage.step} of ${stage.steps}` : "";
  return (STAGES[kind] || kind) + steps;
};
const mood = (status) => status === "InService" ? "good" :
  /Fail|RollingBack|OutOfService/.test(status) ? "bad" :
  status === "Deleting" ? "warn" : "";
const badge = (status) => h("span", { class: "badge " + mood(status) }, status);

const renderHeader = () => {
  const { clock, now } = state;
  $("account").textContent = `account ${state.account_id} in ${state.region}`;
  const when = new Date(now * 1000).toISOString();
  $("clock").textContent = when.slice(0, 10) + " " + when.slice(11, 19) + " UTC";
  $("clock").dateTime = when;
  const isVirtual = clock.kind === "virtual";
  $("pace").textContent = isVirtual ?
    "virtual time" + (clock.step ? `, ${clock.step} s at every look` : "") :
    clock.factor === 1 ? "real time" : `real time × ${clock.factor}`;
  $("run").closest("label").hidden = $("pace-of-run").closest("label").hidden = !isVirtual;
  const ends = deployed().map((e) => e.stage && e.stage.ends).filter((at) => at > now);
  $("next").disabled = ends.length === 0;
};

const endpoints = () => state.endpoints || [];
// What is deployed: endpoints, and the inference components on them, which look alike.
const deployed = () => endpoints().concat(state.components || []);
const current = () => deployed().find((e) => e.arn === chosen);

const renderEndpoints = () => {
  const rows = deployed().map((e) => ({ name: e.name, arn: e.arn, on: e.endpoint,
    status: e.status, new: e.traffic.new, chosen: e.arn === chosen, stage: stageText(e.stage),
    moving: !!e.stage && e.status !== "Creating" }));
  $("none").hidden = rows.length > 0;
  show("endpoints", rows, () => rows.map((row, i) => {
    const share = row.moving ? row.new : 0, fill = h("i");
    fill.style.width = share + "%";
    return h("li", {}, h("button", { type: "button", id: "endpoint-" + i,
      "aria-current": row.chosen && "true",
      onclick: () => { chosen = row.arn; render(); } },
    h("span", { class: "name" }, row.name), badge(row.status),
    row.on && h("small", { class: "quiet" }, "component of " + row.on),
    row.stage && h("small", { class: "quiet" }, row.stage),
    row.moving && h("span", { class: "bar", role: "img",
      "aria-label": percent(share) + " of the traffic on the new fleet" }, fill)));
  }));
};

const summaryOf = (e) => {
  const parts = e.endpoint ? [`on ${e.endpoint}`] : [`runs ${e.config || "nothing yet"}`];
  if (e.pending_config && !e.endpoint) parts.push(`on the way to ${e.pending_config}`);
  if (e.stage) {
    const left = e.stage.ends ? e.stage.ends - state.now : 0;
    parts.push(stageText(e.stage) + (left > 0 ? ` for ${span(left)} more` : ""));
  }
  if (e.deployment && e.deployment.alarms && e.deployment.alarms.length) {
    parts.push("watches " + e.deployment.alarms.join(", "));
  }
  return parts.join(" · ");
};

const cell = (value, className) => h("td", className ? { class: className } : {},
  value === undefined || value === null ? "" : String(value));
const head = (...names) => h("thead", {}, h("tr", {}, ...names.map((name) =>
  h("th", { scope: "col", class: name.startsWith("#") && "number" }, name.replace("#", "")))));
const table = (names, rows) => [head(...names), h("tbody", {}, ...rows)];

const renderEndpoint = () => {
  const e = current();
  $("name").textContent = e ? e.name : "No endpoint";
  show("status", e && e.status, (status) => status ? badge(status) : []);
  $("summary").textContent = e ? summaryOf(e) : "";
  $("reason").textContent = e && e.failure_reason || "";
  $("reason").hidden = !(e && e.failure_reason);
  show("variants", e ? e.variants : [], (list) => table(
    ["Variant", "#Weight", "#Instances", "#Calls, last hour"], list.map((v) => h("tr", {},
      cell(v.name, "wide"),
      cell(v.desired_weight !== undefined && v.desired_weight !== v.weight ?
        `${v.weight} → ${v.desired_weight}` : v.weight, "number"),
      cell(v.desired !== undefined && v.desired !== v.count ?
        `${v.count} → ${v.desired}` : v.count, "number"),
      cell(v.invocations, "number")))));
  show("history", e ? e.history.slice(-60) : [], (list) => table(
    ["Time", "Status", "Stage", "#New fleet"], list.slice().reverse().map((row) => h("tr", {},
      cell(hour(row.at)), cell(row.status || "gone", mood(row.status) === "bad" ? "bad" : ""),
      cell(row.stage ? (STAGES[row.stage] || row.stage) +
        (row.step > 1 ? ` ${row.step}` : "") : "", "wide"),
      cell(percent(row.share), "number")))));
  drawChart($("chart"), e, state.now, $("whole").checked);
};

const renderAlarms = () => {
  const known = new Map();
  for (const e of deployed()) {
    for (const name of (e.deployment && e.deployment.alarms) || []) known.set(name, { name });
  }
  for (const alarm of state.alarms || []) known.set(alarm.name, alarm);
  const rows = [...known.values()].map((a) => ({ name: a.name, state: a.state || "OK",
    reason: a.reason, actions: a.actions || [] })).sort((a, b) => a.name < b.name ? -1 : 1);
  show("alarms", rows, () => rows.length ? rows.map((alarm, i) => {
    const tripped = alarm.state === "ALARM";
    const action = alarm.actions[alarm.actions.length - 1];
    return h("li", { title: alarm.reason },
      h("span", { class: "name" }, alarm.name,
        action && h("small", { title: action.action },
          " " + action.state + " action not carried out: " + action.action.split(":").pop())),
      h("span", { class: "badge " + (tripped ? "bad" : alarm.state === "OK" ? "good" : "warn") },
        alarm.state),
      h("button", { type: "button", id: "alarm-" + i, class: !tripped && "trip",
        "aria-label": (tripped ? "Clear " : "Trip ") + alarm.name,
        onclick: () => act("alarms/" + encodeURIComponent(alarm.name),
          { state: tripped ? "OK" : "ALARM" }) }, tripped ? "Clear" : "Trip"));
  }) : h("li", { class: "none" }, "none"));
};

const renderKnobs = () => {
  show("faults", state.faults || [], (names) => names.map((name) => h("option", {}, name)));
  const rows = Object.entries(state.knobs || {}).filter(([, value]) => value !== false);
  rows.sort();
  show("knobs", rows, () => rows.length ? rows.map(([name, value], i) => h("li", {},
    h("span", { class: "name" }, name + " = " + JSON.stringify(value)),
    h("button", { type: "button", id: "knob-" + i, "aria-label": "Clear " + name,
      onclick: () => act("knobs", { [name]: false }) }, "Clear"))) :
    h("li", { class: "none" }, "none"));
};

const renderRequests = () => show("requests", (state.requests || []).slice(-80),
  (list) => table(["Time", "Operation", "Answer"], list.slice().reverse().map((r) => h("tr",
    { title: r.request_id }, cell(hour(r.at)), cell(r.operation || "–", "wide"),
    cell(r.code || r.status, r.status >= 400 ? "bad wide" : "")))));

const renderForm = () => {
  const names = endpoints().map((e) => e.name);
  show("names", names, () => names.map((name) => h("option", { value: name })));
  const select = document.forms["deploy-form"].elements.config, before = select.value;
  const configs = (state.configs || []).map((config) => config.name);
  if (drawn.configs === JSON.stringify(configs)) return;
  drawn.configs = JSON.stringify(configs);
  select.replaceChildren(...configs.map((name) => h("option", { value: name }, name)));
  if (configs.includes(before)) select.value = before;
};

// Says what has happened to whom, for those who hear the page.
const announce = () => {
  const now = deployed().map((e) => [e.arn, `${e.name}: ${e.status} ${stageText(e.stage)}`]);
  const before = drawn.said || {};
  const news = now.filter(([name, text]) => before[name] && before[name] !== text);
  drawn.said = Object.fromEntries(now);
  if (news.length) $("said").textContent = news.map(([, text]) => text).join("; ");
};

const render = () => {
  if (!current()) {
    const moving = deployed().find((e) => e.stage);
    chosen = (moving || deployed()[0] || { arn: null }).arn;
  }
  renderHeader(); renderEndpoints(); renderEndpoint(); renderAlarms(); renderKnobs();
  renderRequests(); renderForm(); announce();
};

const refresh = async () => {
  try {
    state = await call("state");
    trouble();
  } catch (failure) {
    return trouble("The simulator does not answer: " + failure.message);
  }
  render();
};

const tick = async () => {
  const now = performance.now(), passed = Math.min(2, (now - ran) / 1000);
  ran = now;
  if ($("run").checked && state && state.clock.kind === "virtual") {
    try {
      await call("advance", { seconds: passed * Number($("pace-of-run").value) });
    } catch (failure) {
      $("run").checked = false;
      trouble(failure.message);
    }
  }
  if (!document.hidden) await refresh();
  setTimeout(tick, $("run").checked ? 250 : 1000);
};

// {{ What a person does

for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => act("advance",
    { seconds: Number(button.dataset.advance) }));
}
$("next").addEventListener("click", () => {
  const e = current(), now = state.now;
  const ends = (e && e.stage && e.stage.ends > now ? [e] : deployed())
    .map((one) => one.stage && one.stage.ends).filter((at) => at > now);
  if (ends.length) act("advance", { seconds: Math.min(...ends) - now });
});
$("whole").addEventListener("change", () => render());
new ResizeObserver(() => state && renderEndpoint()).observe($("chart"));

$("alarm-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = event.target.elements.name.value.trim();
  if (name) act("alarms/" + encodeURIComponent(name), { state: "ALARM" });
  event.target.reset();
});

$("knob-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, value } = event.target.elements, text = value.value.trim() || "true";
  let parsed = text;
  try { parsed = JSON.parse(text); } catch { /* a plain name */ }
  try {
    await call("knobs", { [name.value]: parsed });
    $("knob-said").textContent = "";
  } catch (failure) {
    $("knob-said").textContent = failure.message;
  }
  refresh();
});

const deploymentConfig = ({ kind, size, bake, alarms }) => {
  const percentage = (n) => ({ Type: "CAPACITY_PERCENT", Value: Number(n) });
  const names = alarms.value.split(",").map((name) => name.trim()).filter(Boolean);
  const config = names.length ?
    { AutoRollbackConfiguration: { Alarms: names.map((name) => ({ AlarmName: name })) } } : {};
  if (kind.value === "ROLLING") {
    return { ...config, RollingUpdatePolicy: { MaximumBatchSize: percentage(size.value),
      WaitIntervalInSeconds: Number(bake.value) } };
  }
  const routing = { Type: kind.value, WaitIntervalInSeconds: Number(bake.value) };
  if (kind.value === "CANARY") routing.CanarySize = percentage(size.value);
  if (kind.value === "LINEAR") routing.LinearStepSize = percentage(size.value);
  return { ...config, BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: routing,
    TerminationWaitInSeconds: 0 } };
};

$("deploy-form").elements.kind.addEventListener("change", (event) => {
  document.querySelector(".sized").hidden = event.target.value === "ALL_AT_ONCE";
});
$("deploy-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.target.elements, name = fields.endpoint.value.trim();
  const exists = endpoints().some((e) => e.name === name);
  try {
    await call("call/" + (exists ? "UpdateEndpoint" : "CreateEndpoint"), { EndpointName: name,
      EndpointConfigName: fields.config.value, DeploymentConfig: deploymentConfig(fields) });
    $("deploy-said").textContent = exists ? "The update has begun." : "The endpoint is created.";
    await refresh();
    chosen = (endpoints().find((e) => e.name === name) || {}).arn;
  } catch (failure) {
    $("deploy-said").textContent = failure.message;
  }
  refresh();
});

// A model, two configurations of four instances, and an endpoint on the first.
$("example").addEventListener("click", async () => {
  try {
    await call("call/CreateModel", { ModelName: "example-model",
      ExecutionRoleArn: `arn:aws:iam::${state.account_id}:role/example`,
      PrimaryContainer: { Image: `${state.account_id}.dkr.ecr.${state.region}` +
        ".amazonaws.com/example:1" } });
    for (const name of ["example-v1", "example-v2"]) {
      await call("call/CreateEndpointConfig", { EndpointConfigName: name, ProductionVariants: [{
        VariantName: "main", ModelName: "example-model", InstanceType: "ml.m5.large",
        InitialInstanceCount: 4 }] });
    }
    await call("call/CreateEndpoint", { EndpointName: "example",
      EndpointConfigName: "example-v1" });
    const fields = $("deploy-form").elements;
    $("deploy").open = true;
    await refresh();
    fields.endpoint.value = "example";
    fields.config.value = "example-v2";
    fields.alarms.value = "example-5xx";
  } catch (failure) {
    trouble(failure.message);
  }
});

tick();

// }}
]==]
