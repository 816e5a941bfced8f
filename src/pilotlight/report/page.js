(function () {
  "use strict";
  var charts = JSON.parse(document.getElementById("charts").textContent);
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var coarse = window.matchMedia("(pointer: coarse), (max-width: 46rem)");
  var drawn = [];

  function color(token) {
    var parts = token.slice(1).split("/");
    var name = /^\d$/.test(parts[0]) ? "--s" + parts[0] : "--" + parts[0];
    var hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    if (parts.length === 1) { return hex; }
    var number = parseInt(hex.slice(1), 16);
    return "rgba(" + (number >> 16) + "," + ((number >> 8) & 255) + "," + (number & 255) + "," + parts[1] + ")";
  }

  function themed(value) {
    if (Array.isArray(value)) { return value.map(themed); }
    if (typeof value === "string") { return /^@[a-z0-9]+(\/[0-9.]+)?$/.test(value) ? color(value) : value; }
    if (value === null || typeof value !== "object") { return value; }
    var found = {};
    Object.keys(value).forEach(function (key) { found[key] = themed(value[key]); });
    return found;
  }

  function axis(own) {
    var found = themed(own);
    var named = own.showgrid === false;
    found.gridcolor = color("@line");
    found.linecolor = color("@line");
    found.zeroline = false;
    found.automargin = true;
    found.ticks = "outside";
    found.ticklen = 4;
    found.tickcolor = "rgba(0,0,0,0)";
    found.title = { text: found.title.text, standoff: 10, font: { size: 12.5, color: color("@soft") } };
    found.tickfont = { color: color(named ? "@ink" : "@soft"), size: named ? 13 : 12 };
    return found;
  }

  function draw(place) {
    var chart = charts[place.dataset.chart];
    var layout = themed(chart.layout);
    var body = getComputedStyle(document.body);
    layout.xaxis = axis(chart.layout.xaxis);
    layout.yaxis = axis(chart.layout.yaxis);
    layout.font = { family: body.fontFamily, size: 12.5, color: color("@ink") };
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.margin = { l: 8, r: 14, t: 26, b: 8, autoexpand: true };
    layout.legend = { orientation: "h", x: 0, xanchor: "left", y: 0, yref: "container", yanchor: "bottom", font: { size: 12.5 } };
    layout.hoverlabel = { bgcolor: color("@paper"), bordercolor: color("@line"), align: "left", font: { color: color("@ink"), size: 12.5, family: body.fontFamily } };
    layout.dragmode = coarse.matches ? false : "zoom";
    var settings = { displayModeBar: false, responsive: true, showTips: false, doubleClick: "reset" };
    return window.Plotly.react(place, themed(chart.data), layout, settings).then(function () {
      place.parentNode.classList.add("drawn");
      if (drawn.indexOf(place) < 0) { drawn.push(place); }
    });
  }

  // One at a time, so that the page stays alive; what is folded waits until it is opened.
  function drawVisible() {
    var next = Array.prototype.find.call(document.querySelectorAll(".live"), function (place) {
      return !place.dataset.begun && place.offsetParent !== null;
    });
    if (!next) { return; }
    next.dataset.begun = "yes";
    draw(next).then(function () { setTimeout(drawVisible, 0); });
  }
  document.addEventListener("toggle", drawVisible, true);
  drawVisible();
  dark.addEventListener("change", function () { drawn.forEach(draw); });

  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.filter.call(document.querySelectorAll("details"), function (fold) { return !fold.open; });
    opened.forEach(function (fold) { fold.open = true; });
  });
  window.addEventListener("afterprint", function () { opened.forEach(function (fold) { fold.open = false; }); });
})();
