// Sort, filter, search, compare, theme. Every page says all it has to say without this.
"use strict";
(() => {
  const root = document.body.dataset.root || "";
  const make = (tag, text) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text });

  // Theme: as the system has it, or as chosen here.
  const theme = document.querySelector(".theme");
  const chosen = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const apply = (value) => {
    if (value) document.documentElement.dataset.theme = value; else delete document.documentElement.dataset.theme;
    const dark = value ? value === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    theme.textContent = dark ? "Light theme" : "Dark theme";
    theme.dataset.next = dark ? "light" : "dark";
  };
  apply(chosen());
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const next = theme.dataset.next;
    try { localStorage.setItem("theme", next); } catch { /* not kept, then */ }
    apply(next);
  });

  // Sort: a button in each column head.
  const value = (row, at) => {
    const cell = row.cells[at];
    return cell ? (cell.dataset.sort ?? cell.textContent.trim()) : "";
  };
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    if (!body || body.rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((head, at) => {
      const button = make("button");
      button.type = "button";
      const link = head.querySelector("a");
      // Links in a head stay links; the button stands beside them.
      if (link) { button.setAttribute("aria-label", `Sort by ${head.textContent.trim()}`); head.append(button); }
      else { button.append(...head.childNodes); head.append(button); }
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((row) => [value(row, at), row]);
        rows.sort((one, other) => order.compare(one[0], other[0]) * (down ? -1 : 1));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  // Filter: rows that contain all words.
  for (const place of document.querySelectorAll(".filter")) {
    const table = document.getElementById(place.dataset.for);
    if (!table || table.tBodies[0].rows.length < 5) continue;
    place.hidden = false;
    const [input, output] = [place.querySelector("input"), place.querySelector("output")];
    const rows = [...table.tBodies[0].rows].map((row) => [row.textContent.toLowerCase(), row]);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const [text, row] of rows) {
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) shown += 1;
      }
      output.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
  }

  const fetched = async (path) => {
    const answer = await fetch(root + path);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  };

  // Search: names of guidelines, products and capabilities.
  const search = document.getElementById("search");
  if (search && location.protocol !== "file:") {
    search.hidden = false;
    const [input, output, hits] = [search.querySelector("input"), search.querySelector("output"), search.querySelector("ul")];
    let all = null;
    search.addEventListener("submit", (event) => {
      event.preventDefault();
      hits.querySelector("a")?.click();
    });
    input.addEventListener("input", async () => {
      try { all ??= await fetched("api/v1/search.json"); } catch { output.textContent = "The search is not available."; return; }
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const found = words.length ? all.filter(([name, what]) => words.every((word) => `${name} ${what}`.toLowerCase().includes(word))) : [];
      hits.replaceChildren(...found.slice(0, 20).map(([name, what, page]) => {
        const item = make("li");
        item.append(Object.assign(make("a", name), { href: root + page }), ` – ${what}`);
        return item;
      }));
      output.textContent = words.length ? `${found.length} found${found.length > 20 ? ", the first 20 shown" : ""}` : "";
    });
  }

  // Compare any two reports.
  const form = document.getElementById("compare");
  if (form && location.protocol !== "file:") {
    const result = document.getElementById("result");
    const output = form.querySelector("output");
    const names = [form.elements.one, form.elements.other];
    fetched("api/v1/index.json").then((index) => {
      const known = new Map(index.reports.map((report) => [report.id, report]));
      document.getElementById("reports").append(...index.reports.map((report) => Object.assign(make("option"), { value: report.id, label: `${report.vendor}: ${report.product}` })));
      form.hidden = known.size < 2;
      const parameters = new URLSearchParams(location.search);
      names[0].value = parameters.get("one") ?? "";
      names[1].value = parameters.get("other") ?? "";
      const show = async () => {
        const [one, other] = names.map((name) => known.get(name.value));
        if (!one || !other) { output.textContent = "Choose two reports from the list."; return; }
        output.textContent = "";
        const documents = await Promise.all([fetched(one.json), fetched(other.json)]);
        result.replaceChildren(
          table("Programs", [one, other], [...new Set(documents.flatMap((d) => d.programs.map((p) => p.program)))].map((name) => [name, ...documents.map((d) => d.programs.find((p) => p.program === name)?.verdict ?? "–")])),
          table("Capabilities that differ", [one, other], differing(documents.map((d) => d.capabilities))),
          table("Cases that differ", [one, other], differing(documents.map((d) => d.cases))),
        );
        result.querySelector("h2").tabIndex = -1;
        result.querySelector("h2").focus();
      };
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        history.replaceState(null, "", `?${new URLSearchParams({ one: names[0].value, other: names[1].value })}`);
        show();
      });
      if (names[0].value && names[1].value) show();
    }).catch(() => { /* the pairs below are there without it */ });
  }
  const differing = ([one, other]) => [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
    .filter((name) => one[name] !== other[name]).map((name) => [name, one[name] ?? "–", other[name] ?? "–"]);
  const table = (title, reports, rows) => {
    const section = make("section");
    section.append(make("h2", title));
    if (!rows.length) { section.append(make("p", "None.")); return section; }
    const [box, grid] = [make("div"), make("table")];
    box.className = "scroll";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", title);
    const head = grid.createTHead().insertRow();
    for (const text of ["", ...reports.map((report) => report.id)]) head.append(Object.assign(make(text ? "th" : "td", text), text ? { scope: "col" } : {}));
    const body = grid.createTBody();
    for (const [name, ...cells] of rows) {
      const row = body.insertRow();
      row.append(Object.assign(make("th", name), { scope: "row" }), ...cells.map((text) => make("td", text)));
    }
    box.append(grid);
    section.append(box);
    return section;
  };
})();
