--- The page of a running simulator: its looks, in light and dark, wide and narrow.

return [==[
:root {
  --ground: #f5f6f8; --card: #ffffff; --line: #d9dde3; --text: #1b2430; --quiet: #586476;
  --accent: #0b62d6; --on-accent: #ffffff; --old: #5b8def; --new: #1f9d61; --bad: #c22f2f;
  --warn: #9a6200; --good: #14764a; --bad-ground: #fdecec; --warn-ground: #fdf3df;
  --good-ground: #e4f5ec; --move-ground: #e5effd; --grid: #e6e9ee;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #11161d; --card: #1a212b; --line: #303a47; --text: #e6ebf2; --quiet: #9daabb;
    --accent: #6aa7ff; --on-accent: #0d1520; --old: #6f9cf2; --new: #3fbf82; --bad: #ff8f8f;
    --warn: #f0b860; --good: #62d39b; --bad-ground: #3a2024; --warn-ground: #372c18;
    --good-ground: #17332a; --move-ground: #1c2e4a; --grid: #28313d;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--ground); color: var(--text); }
h1, h2, h3, p, ul, figure { margin: 0; padding: 0; }
h1 { font-size: 1.15rem; }
h2 { font-size: 1rem; }
h3 { font-size: .85rem; color: var(--quiet); font-weight: 600; margin-bottom: .35rem; }
ul { list-style: none; }
.quiet { color: var(--quiet); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 2; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }

header {
  display: flex; flex-wrap: wrap; gap: .75rem 2rem; align-items: center;
  justify-content: space-between; padding: .8rem 1.25rem; background: var(--card);
  border-bottom: 1px solid var(--line);
}
.title { display: flex; gap: .75rem; align-items: center; }
.old { fill: var(--old); }
.new { fill: var(--new); }
.time { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; }
.clock { display: flex; flex-direction: column; line-height: 1.25; }
#clock { font-size: 1.05rem; font-weight: 600; font-variant-numeric: tabular-nums; }
#pace { font-size: .8rem; }
.row { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; }
.switch, .inline { display: inline-flex; gap: .35rem; align-items: center; white-space: nowrap; }

button, input, select {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; padding: .3rem .65rem; min-height: 2.1rem;
}
input[type="checkbox"] { min-height: 0; width: 1.05rem; height: 1.05rem; margin: 0;
  accent-color: var(--accent); }
button { cursor: pointer; }
button:hover { border-color: var(--accent); }
button:disabled { opacity: .55; cursor: default; border-color: var(--line); }
button.primary { background: var(--accent); color: var(--on-accent); border-color: var(--accent);
  font-weight: 600; }
button.trip { color: var(--bad); border-color: currentColor; }

main {
  display: grid; grid-template-columns: minmax(13rem, 17rem) minmax(0, 1fr) minmax(16rem, 21rem);
  gap: 1rem; padding: 1rem 1.25rem; align-items: start;
}
nav, aside, #endpoint {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem;
}
nav, aside section { display: grid; gap: .7rem; align-content: start; min-width: 0; }
aside { display: grid; gap: 1.3rem; }
#endpoint { display: grid; gap: .75rem; }
#none { display: grid; gap: .7rem; justify-items: start; color: var(--quiet); }

#endpoints button {
  width: 100%; text-align: left; display: grid; grid-template-columns: 1fr auto; gap: .1rem .5rem;
  align-items: center; padding: .5rem .65rem; margin-bottom: .35rem;
}
#endpoints button[aria-current="true"] { border-color: var(--accent);
  box-shadow: inset 3px 0 0 var(--accent); }
#endpoints small { grid-column: 1 / -1; }
#endpoints .name { font-weight: 600; overflow-wrap: anywhere; }
#endpoints .bar { grid-column: 1 / -1; display: flex; height: 5px; border-radius: 3px;
  overflow: hidden; background: var(--old); margin-top: .3rem; }
#endpoints .bar i { background: var(--new); }
.badge { font-size: .78rem; font-weight: 600; padding: .1rem .5rem; border-radius: 99px;
  background: var(--move-ground); color: var(--accent); white-space: nowrap; }
.badge.good { background: var(--good-ground); color: var(--good); }
.badge.bad { background: var(--bad-ground); color: var(--bad); }
.badge.warn { background: var(--warn-ground); color: var(--warn); }

details { border-top: 1px solid var(--line); padding-top: .6rem; }
summary { cursor: pointer; font-weight: 600; }
#deploy-form { display: grid; gap: .55rem; margin-top: .6rem; }
#deploy-form label { display: grid; gap: .15rem; font-size: .85rem; color: var(--quiet); }
#deploy-form input, #deploy-form select { color: var(--text); width: 100%; }
#deploy-said, #knob-said { font-size: .85rem; overflow-wrap: anywhere; }
#deploy-said:empty, #knob-said:empty { display: none; }

.head { display: flex; flex-wrap: wrap; gap: .5rem .8rem; align-items: center; }
.head h2 { font-size: 1.3rem; overflow-wrap: anywhere; }
.reason, .trouble { background: var(--bad-ground); color: var(--bad); border-radius: 6px;
  padding: .5rem .75rem; overflow-wrap: anywhere; }
.trouble { margin: .75rem 1.25rem 0; }
figure { border-top: 1px solid var(--line); padding-top: .7rem; }
figcaption { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: center;
  font-size: .85rem; color: var(--quiet); }
figcaption > :first-child { font-weight: 600; }
figcaption .switch { margin-left: auto; }
.key { display: inline-flex; align-items: center; gap: .35rem; }
.key i { width: 14px; height: 10px; border-radius: 2px; }
.key i.old { background: var(--old); }
.key i.new { background: var(--new); }
.key i.plan { height: 0; border-radius: 0; border-top: 2px dashed var(--text); opacity: .7; }
#chart { display: block; width: 100%; height: 270px; margin-top: .4rem; }
#chart text { fill: var(--quiet); font-size: 11px; font-family: inherit; }
#chart .grid { stroke: var(--grid); }
#chart .area-old { fill: var(--old); opacity: .55; }
#chart .area-new { fill: var(--new); opacity: .75; }
#chart .share { fill: none; stroke: var(--new); stroke-width: 2; }
#chart .plan { fill: none; stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 5 4;
  opacity: .7; }
#chart .now { stroke: var(--text); }
#chart text.on { fill: var(--text); }
#chart .stage { fill: var(--move-ground); stroke: var(--card); }
#chart .stage.RollingBack, #chart .stage.Failed { fill: var(--bad-ground); }
#chart .stage.still { fill: var(--good-ground); }
#chart .stage.ahead { fill: none; stroke: var(--line); stroke-dasharray: 3 3; }
#chart .back { fill: var(--bad); opacity: .09; }

.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem 1.5rem; }
.columns > div { min-width: 0; }
.scroll { overflow: auto; max-height: 15rem; }
.scroll.tall { max-height: 22rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem;
  font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--quiet); font-weight: 600; }
th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--grid);
  white-space: nowrap; }
td.wide { min-width: 6.5rem; white-space: normal; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; }
td.bad { color: var(--bad); }
.rows li { display: flex; gap: .5rem; align-items: center; justify-content: space-between;
  padding: .25rem 0; border-bottom: 1px solid var(--grid); }
.rows .name { overflow-wrap: anywhere; min-width: 0; flex: 1; }
.rows .none { color: var(--quiet); }
.rows small { display: block; color: var(--quiet); }
aside form input { flex: 1; min-width: 4rem; }
aside form select { flex: 2; min-width: 9rem; }

@media (max-width: 1100px) {
  main { grid-template-columns: minmax(12rem, 15rem) minmax(0, 1fr); }
  aside { grid-column: 1 / -1; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
}
@media (max-width: 720px) {
  main { grid-template-columns: minmax(0, 1fr); padding: .75rem; }
  header { padding: .75rem; }
  .columns { grid-template-columns: minmax(0, 1fr); }
}
@media (prefers-reduced-motion: no-preference) {
  #endpoints .bar i { transition: width .3s; }
}
]==]
