--- The page of a running simulator: the chart of who gets the traffic.

return [==[
"use strict";
// Draws the traffic of both fleets over time: what has been as areas, what is planned as a line,
// the stages below.
const drawChart = (() => {
  const LEFT = 44, RIGHT = 14, TOP = 10, STRIP = 22, BOTTOM = 24;
  const NAMES = { provision: "start", activate: "activate", bake: "bake", wait: "wait",
    remove: "remove", rollback: "roll-back", scale: "scale" };

  const node = (tag, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // The times from which and to which to draw: the latest deployment, or everything.
  const windowOf = (e, now, whole) => {
    const rows = e.history;
    let first = 0;
    if (!whole) {
      for (let i = rows.length - 1; i >= 0; i--) {
        const status = rows[i].status, before = i > 0 ? rows[i - 1].status : "";
        if ((status === "Updating" || status === "Creating") && before !== status) {
          first = i;
          break;
        }
      }
    }
    const from = rows.length ? rows[first].at : now;
    const settled = rows.length ? rows[rows.length - 1].at : now;
    const planned = e.stage && e.deployment && e.deployment.stages || [];
    const ends = planned.map((stage) => stage.ends).concat(e.stage && e.stage.ends || 0);
    let to = e.stage ? Math.max(now, ...ends) : Math.min(now, settled + (settled - from) * 0.12);
    if (to <= from) to = Math.max(now, from + 60);
    return { from, to: to + (to - from) * 0.02, first };
  };

  // What was seen between `from` and `to`: {from, to, share, status, stage, step}.
  const pieces = (e, now, window) => {
    const rows = e.history.slice(window.first), end = Math.min(now, window.to), list = [];
    rows.forEach((row, i) => {
      const to = i + 1 < rows.length ? rows[i + 1].at : end;
      if (to >= row.at && row.status !== "") list.push({ ...row, from: row.at, to });
    });
    return list;
  };

  const TICKS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

  // Whether the old fleet has any part in it: a first roll-out has none.
  const serves = (piece) => piece.status !== "Creating";

  const areas = (svg, list, x, y) => {
    for (const piece of list) {
      const left = x(piece.from), width = Math.max(0, x(piece.to) - left);
      if (/Creating|Failed|Deleting/.test(piece.status) || width === 0) continue;
      // Where nothing is under way, one fleet has it all: the new one when all went well.
      const share = piece.moved ? 100 : piece.share;
      svg.append(node("rect", { class: "area-old", x: left, y: y(100), width,
        height: y(share) - y(100) }));
      svg.append(node("rect", { class: "area-new", x: left, y: y(share), width,
        height: y(0) - y(share) }));
      if (piece.status === "RollingBack") {
        svg.append(node("rect", { class: "back", x: left, y: y(100), width,
          height: y(0) - y(100) }));
      }
    }
  };

  const strip = (svg, list, ahead, x, top) => {
    const label = (from, to, text, className) => {
      if (text && x(to) - x(from) > text.length * 6.2 + 6) {
        svg.append(node("text", { x: (x(from) + x(to)) / 2, y: top + 15, "text-anchor": "middle",
          class: className }, text));
      }
    };
    const box = (from, to, className, title) => {
      if (x(to) - x(from) < 0.5) return;
      const rect = node("rect", { class: "stage " + className, x: x(from), y: top,
        width: x(to) - x(from), height: STRIP - 2 });
      rect.append(node("title", {}, title));
      svg.append(rect);
    };
    const textOf = (piece) => piece.status === "InService" ? "in service" :
      piece.status === "RollingBack" ? "roll-back" :
      piece.stage ? (NAMES[piece.stage] || piece.stage) : piece.status;
    for (const piece of list) {
      box(piece.from, piece.to, piece.status === "InService" ? "still" : piece.status,
        textOf(piece) + ", " + span(piece.to - piece.from));
      label(piece.from, piece.to, textOf(piece), "on");
    }
    for (const stage of ahead) {
      box(stage.from, stage.to, "ahead", "planned: " + (NAMES[stage.kind] || stage.kind));
      label(stage.from, stage.to, NAMES[stage.kind] || stage.kind, "");
    }
  };

  const axes = (svg, window, x, y, width, height) => {
    for (const share of [0, 25, 50, 75, 100]) {
      svg.append(node("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(share),
        y2: y(share) }));
      svg.append(node("text", { x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" },
        share + " %"));
    }
    const length = window.to - window.from, most = Math.max(2, (width - LEFT) / 80);
    const step = TICKS.find((seconds) => length / seconds <= most) || 86400 * 7;
    for (let at = 0; at <= length; at += step) {
      svg.append(node("text", { x: x(window.from + at), y: height - 6,
        "text-anchor": at === 0 ? "start" : "middle" }, span(at)));
    }
  };

  // The part of the plan that is still to come.
  const aheadOf = (e, now) => (e.stage && e.deployment && e.deployment.stages || [])
    .filter((stage) => stage.ends > now && !/RollingBack/.test(e.status))
    .map((stage) => ({ ...stage, from: Math.max(now, stage.starts), to: stage.ends }));

  const line = (points, x, y) => points.map(([at, share], i) =>
    (i ? "L" : "M") + x(at).toFixed(1) + " " + y(share).toFixed(1)).join("");

  const summary = (e, list) => {
    const last = list[list.length - 1];
    return last ? `Traffic of both fleets over ${span(last.to - list[0].from)}: now ` +
      `${percent(e.traffic.new)} on the new fleet, status ${e.status}` : "Nothing to draw yet";
  };

  return (svg, e, now, whole) => {
    const width = svg.clientWidth || 640, height = svg.clientHeight || 270;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    if (!e || !e.history || e.history.length === 0) {
      svg.append(node("text", { x: width / 2, y: height / 2, "text-anchor": "middle" },
        "Nothing has happened yet"));
      return;
    }
    const window = windowOf(e, now, whole), list = pieces(e, now, window);
    let ok = false;
    for (const piece of list) { // in service after a deployment that went through
      if (piece.status === "Updating") ok = true;
      if (piece.status === "RollingBack") ok = false;
      piece.moved = !whole && ok && piece.status === "InService";
    }
    const floor = height - BOTTOM - STRIP - 6;
    const x = (at) => LEFT + (at - window.from) / (window.to - window.from) *
      (width - LEFT - RIGHT);
    const y = (share) => TOP + (100 - share) / 100 * (floor - TOP);
    axes(svg, window, x, y, width, height);
    areas(svg, list, x, y);
    const points = [];
    for (const piece of list.filter(serves)) {
      const share = piece.moved ? 100 : piece.share;
      points.push([piece.from, share], [piece.to, share]);
    }
    if (points.length) svg.append(node("path", { class: "share", d: line(points, x, y) }));
    const ahead = aheadOf(e, now), planned = [];
    for (const stage of ahead) planned.push([stage.from, stage.share], [stage.to, stage.share]);
    if (planned.length && e.status !== "Creating") {
      svg.append(node("path", { class: "plan", d: line(planned, x, y) }));
    }
    strip(svg, list, ahead, x, floor + 6);
    if (e.stage) {
      svg.append(node("line", { class: "now", x1: x(now), x2: x(now), y1: TOP, y2: floor }));
    }
    svg.setAttribute("aria-label", summary(e, list));
  };
})();
]==]
