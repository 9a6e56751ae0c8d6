--- The page of a running simulator: its markup. What moves is drawn by script.lua.

return [==[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SageMaker simulator</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="page.css">
<script src="chart.js" defer></script>
<script src="page.js" defer></script>
</head>
<body>
<a class="skip" href="#endpoint">Skip to the endpoint</a>
<header>
  <div class="title">
    <svg viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
      <rect class="old" x="2" y="4" width="12" height="24" rx="3"/>
      <rect class="new" x="18" y="4" width="12" height="24" rx="3"/>
    </svg>
    <div>
      <h1>SageMaker simulator</h1>
      <p id="account" class="quiet"></p>
    </div>
  </div>
  <section class="time" aria-label="Time of the simulator">
    <div class="clock"><time id="clock">–</time><span id="pace" class="quiet"></span></div>
    <div class="row" role="group" aria-label="Move time on">
      <button type="button" data-advance="10">+10 s</button>
      <button type="button" data-advance="60">+1 min</button>
      <button type="button" data-advance="300">+5 min</button>
      <button type="button" data-advance="3600">+1 h</button>
      <button type="button" id="next" title="To the end of the stage that is under way">Next
        stage</button>
      <label class="switch"><input type="checkbox" id="run"> Run</label>
      <label class="inline">at
        <select id="pace-of-run" aria-label="Speed of running">
          <option value="1">1 ×</option>
          <option value="10">10 ×</option>
          <option value="60" selected>60 ×</option>
          <option value="600">600 ×</option>
        </select>
      </label>
    </div>
  </section>
</header>
<p id="trouble" class="trouble" role="alert" hidden></p>
<p id="said" class="unseen" aria-live="polite"></p>
<main>
  <nav aria-label="Endpoints">
    <h2>Endpoints</h2>
    <ul id="endpoints"></ul>
    <div id="none" hidden>
      <p>No endpoint yet. Point a client here and create one, or look at an example.</p>
      <button type="button" class="primary" id="example">Create an example</button>
    </div>
    <details id="deploy">
      <summary>Deploy</summary>
      <form id="deploy-form">
        <label>Endpoint <input name="endpoint" list="names" required autocomplete="off"></label>
        <datalist id="names"></datalist>
        <label>Configuration <select name="config" required></select></label>
        <label>Traffic
          <select name="kind">
            <option value="CANARY">canary</option>
            <option value="LINEAR">linear</option>
            <option value="ALL_AT_ONCE">all at once</option>
            <option value="ROLLING">rolling</option>
          </select>
        </label>
        <label class="sized">Step, percent of the fleet
          <input name="size" type="number" min="1" max="50" value="25"></label>
        <label>Bake, seconds
          <input name="bake" type="number" min="0" max="3600" value="300"></label>
        <label>Alarms, separated by commas <input name="alarms" autocomplete="off"></label>
        <button type="submit" class="primary">Deploy</button>
        <p id="deploy-said" role="status"></p>
      </form>
    </details>
  </nav>
  <section id="endpoint" tabindex="-1" aria-labelledby="name">
    <div class="head">
      <h2 id="name">–</h2>
      <span id="status"></span>
    </div>
    <p id="summary"></p>
    <p id="reason" class="reason" hidden></p>
    <figure>
      <figcaption>
        <span>Traffic</span>
        <span class="key"><i class="old"></i>old fleet</span>
        <span class="key"><i class="new"></i>new fleet</span>
        <span class="key"><i class="plan"></i>planned</span>
        <label class="switch"><input type="checkbox" id="whole"> whole history</label>
      </figcaption>
      <svg id="chart" role="img" aria-label="Traffic of both fleets"></svg>
    </figure>
    <div class="columns">
      <div>
        <h3>Variants</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="Variants">
          <table id="variants"></table>
        </div>
      </div>
      <div>
        <h3>History</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="History">
          <table id="history"></table>
        </div>
      </div>
    </div>
  </section>
  <aside aria-label="Alarms, faults and requests">
    <section>
      <h2>Alarms</h2>
      <ul id="alarms" class="rows"></ul>
      <form id="alarm-form" class="row">
        <input name="name" aria-label="Name of an alarm" placeholder="alarm name" required
          autocomplete="off">
        <button type="submit">Trip</button>
      </form>
    </section>
    <section>
      <h2>Faults</h2>
      <ul id="knobs" class="rows"></ul>
      <form id="knob-form" class="row">
        <select name="name" id="faults" aria-label="Fault"></select>
        <input name="value" aria-label="Value as JSON: true, a number, or a name in quotes"
          placeholder="true" autocomplete="off">
        <button type="submit">Set</button>
      </form>
      <p id="knob-said" role="status"></p>
    </section>
    <section>
      <h2>Requests</h2>
      <div class="scroll tall" tabindex="0" role="region" aria-label="Latest requests">
        <table id="requests"></table>
      </div>
    </section>
  </aside>
</main>
</body>
</html>
]==]
