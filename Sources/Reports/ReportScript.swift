/// Says that scripts run, before the first row is laid out; without them every row is shown.
let reportEarlyScript = "document.documentElement.classList.add(\"js\")"

/// Filters, sorts and pages the table of decisions; the filter stands in the address, so that a link keeps it.
///
/// It makes no markup: whatever it shows goes through textContent.
let reportScript = """
    "use strict";
    (() => {
      const size = 100;
      const by = id => document.getElementById(id);
      const table = by("decisions"), body = table.tBodies[0];
      const all = Array.from(body.rows);
      const column = name => Array.from(table.tHead.rows[0].cells).findIndex(cell => cell.dataset.name === name);
      const cell = (row, at) => row.cells[at] ? row.cells[at].textContent : "";
      const names = ["text", "verdict", "node", "installation", "rollout", "since", "until"];
      let order = all, shown = all, page = 0, sorted = "", down = false;

      for (const name of ["node", "installation", "rollout"]) {
        const at = column(name), values = new Set();
        for (const row of all) { if (values.size < 500) values.add(cell(row, at)); }
        values.delete("");
        for (const value of Array.from(values).sort()) {
          const option = document.createElement("option");
          option.textContent = value;
          option.value = value;
          by("f-" + name).append(option);
        }
      }

      const texts = new Map();
      const text = row => {
        if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
        return texts.get(row);
      };

      const draw = () => {
        for (const row of body.querySelectorAll("tr.on")) row.classList.remove("on");
        const pages = Math.max(1, Math.ceil(shown.length / size));
        page = Math.min(Math.max(page, 0), pages - 1);
        for (const row of shown.slice(page * size, (page + 1) * size)) row.classList.add("on");
        by("count").textContent = shown.length === all.length
          ? all.length + " decisions" : shown.length + " of " + all.length + " decisions";
        by("page").textContent = "page " + (page + 1) + " of " + pages;
        by("before").disabled = page === 0;
        by("after").disabled = page === pages - 1;
      };

      const filter = () => {
        const want = {};
        for (const name of names) want[name] = by("f-" + name).value;
        const words = want.text.toLowerCase().split(/\\s+/).filter(word => word !== "");
        const at = { at: column("at") };
        const equal = ["verdict", "node", "installation", "rollout"].filter(name => want[name] !== "");
        for (const name of equal) at[name] = column(name);
        shown = order.filter(row => {
          const when = cell(row, at.at);
          const fits = equal.every(name => cell(row, at[name]) === want[name])
            && (want.since === "" || when >= want.since) && (want.until === "" || when < want.until)
            && words.every(word => text(row).includes(word));
          row.classList.toggle("out", !fits);
          return fits;
        });
        draw();
      };

      const keep = () => {
        const words = new URLSearchParams();
        for (const name of names) { if (by("f-" + name).value !== "") words.set(name, by("f-" + name).value); }
        if (sorted !== "") words.set("sort", (down ? "-" : "") + sorted);
        history.replaceState(null, "", "#" + words.toString());
      };

      const compare = new Intl.Collator("en", { numeric: true }).compare;
      const sort = (name, isDown) => {
        const at = column(name);
        if (at < 0) return;
        sorted = name;
        down = isDown;
        const keys = new Map(all.map(row => [row, cell(row, at)]));
        order = all.slice().sort((a, b) => compare(keys.get(a), keys.get(b)));
        if (down) order.reverse();
        for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
        table.tHead.rows[0].cells[at].setAttribute("aria-sort", down ? "descending" : "ascending");
        body.append(...order);
      };

      const read = () => {
        const words = new URLSearchParams(location.hash.slice(1));
        if (!names.concat("sort").some(name => words.has(name))) return;
        for (const name of names) {
          const field = by("f-" + name), value = words.get(name) || "";
          if (field.tagName === "SELECT" && value !== ""
            && !Array.from(field.options).some(option => option.value === value)) {
            const option = document.createElement("option");
            option.textContent = value;
            option.value = value;
            field.append(option);
          }
          field.value = value;
        }
        const wish = words.get("sort") || "";
        if (wish !== "") sort(wish.replace(/^-/, ""), wish.startsWith("-"));
      };

      const changed = () => { page = 0; filter(); keep(); };
      for (const name of names) by("f-" + name).addEventListener("input", changed);
      by("clear").addEventListener("click", () => {
        for (const name of names) by("f-" + name).value = "";
        changed();
      });
      by("before").addEventListener("click", () => { page -= 1; draw(); });
      by("after").addEventListener("click", () => { page += 1; draw(); });
      for (const button of table.tHead.querySelectorAll("button")) {
        button.addEventListener("click", () => {
          const name = button.parentElement.dataset.name;
          sort(name, sorted === name && !down);
          page = 0;
          filter();
          keep();
        });
      }
      addEventListener("hashchange", () => { read(); page = 0; filter(); });
      read();
      filter();
      document.documentElement.dataset.ready = "yes";
    })();
    """
