(function () {
  var box = document.getElementById('filter');
  if (!box) return;
  box.hidden = false;
  var search = box.querySelector('input[type=search]');
  var marks = Array.prototype.slice.call(box.querySelectorAll('input[type=checkbox]'));
  var cases = Array.prototype.slice.call(document.querySelectorAll('details.case'));
  var shown = document.getElementById('shown');
  function apply() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    var on = marks.filter(function (m) { return m.checked; }).map(function (m) { return m.value; });
    var count = 0;
    cases.forEach(function (c) {
      var text = c.firstElementChild.textContent.toLowerCase();
      var hit = on.indexOf(c.dataset.outcome) >= 0 && words.every(function (w) { return text.indexOf(w) >= 0; });
      c.hidden = !hit;
      if (hit) count += 1;
    });
    Array.prototype.forEach.call(document.querySelectorAll('section.suite'), function (s) {
      s.hidden = !s.querySelector('details.case:not([hidden])');
    });
    shown.textContent = count + ' of ' + cases.length;
  }
  search.addEventListener('input', apply);
  marks.forEach(function (m) { m.addEventListener('change', apply); });
  window.addEventListener('beforeprint', function () {
    cases.forEach(function (c) { if (c.dataset.outcome !== 'pass' && !c.hidden) c.open = true; });
  });
  if (location.hash) {
    var at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (at && at.tagName === 'DETAILS') at.open = true;
  }
  apply();
})();
