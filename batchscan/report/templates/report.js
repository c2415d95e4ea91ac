// Search, filters, order and keys for the pictures of the page; all of it reads well without.
"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const list = by("list");
  for (const node of document.querySelectorAll(".with-script")) node.hidden = false;
  sortable(by("site-table"));
  if (!list) return;

  const pictures = Array.from(list.children, (node, place) => {
    const [full, total, newest] = node.dataset.n.split(" ").map(Number);
    const path = node.querySelector(".path").textContent;
    const matches = Array.from(node.querySelectorAll(".match"), (match) => {
      const [kind, state, decided] = match.dataset.m.split(" ");
      return { node: match, kind, state, decided, site: match.dataset.site };
    });
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    return { node, place, full, total, newest, path, folder, matches };
  });
  const all = pictures.flatMap((picture) => picture.matches);
  const choices = ["kind", "state", "decided", "site"];

  // --- what can be chosen -----------------------------------------------------------------------

  const counted = (values) => {
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    return counts;
  };
  const offer = (id, options) => {
    for (const [value, shown] of options) by(id).add(new Option(shown, value));
    if (!options.length) by(id).parentNode.hidden = true;
  };
  const most = (counts) => [...counts].sort((a, b) => b[1] - a[1]);
  const label = (name, count) => `${name} (${count.toLocaleString("en")})`;
  for (const id of choices.slice(0, 3)) {
    const found = most(counted(all.map((match) => match[id]))).filter(([value]) => value !== "-");
    offer(id, found.map(([value, count]) => [value, label(value.replace("_", " "), count)]));
  }
  const sites = most(counted(pictures.flatMap((picture) => [...new Set(picture.matches.map((match) => match.site))])));
  // The blank tells a site without a name from "all".
  offer("site", sites.slice(0, 1000).map(([name, count]) => [` ${name}`, label(name || "no site at all", count)]));

  const folders = counted(pictures.flatMap((picture) => above(picture.folder)));
  const shared = pictures.length && [...folders].filter(([, count]) => count === pictures.length).length - 1;
  const below = [...folders].filter(([folder]) => above(folder).length > shared + 1);
  below.sort((a, b) => b[1] - a[1]).splice(500);
  offer("folder", below.sort((a, b) => text(a[0], b[0])).map(([name, count]) => [name, label(name, count)]));

  // --- what is shown ----------------------------------------------------------------------------

  const lower = (nodes) => Array.from(nodes, (node) => node.textContent).join("\n").toLowerCase();
  const wanted = () => {
    const words = by("find").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const value = (id) => (id === "site" ? by(id).value.slice(1) : by(id).value);
    const chosen = choices.filter((id) => by(id).value).map((id) => [id, value(id)]);
    return { words, chosen, folder: by("folder").value };
  };
  const show = (thing, shown) => {
    if (thing.node.hidden === shown) thing.node.hidden = !shown;
    return shown;
  };

  const fits = (match, { words, chosen }, own) => {
    if (!chosen.every(([id, value]) => match[id] === value)) return false;
    if (!words.length) return true;
    match.text ??= lower(match.node.querySelectorAll(".url, .pages"));
    return words.every((word) => own.includes(word) || match.text.includes(word));
  };
  const part = (shown, of, noun, ending) => {
    const start = shown === of ? "" : `${shown.toLocaleString("en")} of `;
    return `${start}${of.toLocaleString("en")} ${noun}${of === 1 ? "" : ending}`;
  };
  const filter = () => {
    const want = wanted();
    const plain = !want.words.length && !want.chosen.length;
    let shownPictures = 0;
    let shownMatches = 0;
    for (const picture of pictures) {
      if (want.words.length) picture.text ??= lower(picture.node.querySelectorAll(".path, .facts"));
      let found = 0;
      if (picture.folder.startsWith(want.folder)) {
        for (const match of picture.matches) found += show(match, fits(match, want, picture.text || ""));
      }
      const shown = picture.folder.startsWith(want.folder) && (found > 0 || plain);
      if (show(picture, shown)) shownPictures += 1;
      shownMatches += shown ? found : 0;
      picture.node.classList.toggle("some", found < picture.matches.length);
    }
    by("nothing").hidden = shownPictures > 0;
    const said = `${part(shownPictures, pictures.length, "picture", "s")}, ${part(shownMatches, all.length, "match", "es")}`;
    if (by("status").value !== said) by("status").value = said;
    for (const row of document.querySelectorAll("#site-table tbody tr")) {
      const to = row.querySelector("a");
      row.classList.toggle("chosen", Boolean(to) && by("site").value === ` ${to.dataset.site}`);
    }
  };

  const site = (picture) => (picture.matches.length ? picture.matches[0].site : "");
  const orders = {
    fresh: (a, b) => a.place - b.place,
    worst: (a, b) => b.full - a.full || b.total - a.total,
    path: (a, b) => text(a.path, b.path),
    site: (a, b) => text(site(a), site(b)),
    newest: (a, b) => b.newest - a.newest,
  };
  const order = () => {
    const how = orders[by("order").value] || orders.fresh;
    pictures.sort((a, b) => how(a, b) || a.place - b.place);
    const sorted = document.createDocumentFragment();
    for (const picture of pictures) sorted.append(picture.node);
    list.append(sorted);
  };

  // --- what is done -----------------------------------------------------------------------------

  const clear = () => {
    const ordered = by("order").value;
    by("tools").reset();
    by("order").value = ordered;
    filter();
  };
  let soon = 0;
  by("find").addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(filter, 120);
  });
  for (const id of [...choices, "folder"]) by(id).addEventListener("change", filter);
  by("order").addEventListener("change", order);
  by("tools").addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  by("clear").addEventListener("click", (event) => { event.preventDefault(); clear(); });
  by("clear-too").addEventListener("click", () => { clear(); by("find").focus(); });
  const table = by("site-table");
  if (table) table.addEventListener("click", (event) => {
    const to = event.target.closest("a[data-site]");
    if (!to || ![...by("site").options].some((option) => option.value === ` ${to.dataset.site}`)) return;
    event.preventDefault();
    clear();
    by("site").value = ` ${to.dataset.site}`;
    filter();
    by("pictures-title").focus({ preventScroll: true });
    by("pictures").scrollIntoView();
  });

  const step = (way) => {
    const shown = pictures.filter((picture) => !picture.node.hidden).map((picture) => picture.node);
    const at = shown.indexOf(document.activeElement.closest(".picture"));
    const next = shown[at < 0 ? (way > 0 ? 0 : shown.length - 1) : at + way];
    if (!next) return;
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "Escape") { event.preventDefault(); clear(); }
    else if (typing) return;
    else if (event.key === "/") { event.preventDefault(); by("find").focus(); by("find").select(); }
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });

  by("tools").hidden = false;
  filter();

  function text(a, b) {
    return a < b ? -1 : a > b ? 1 : 0;
  }

  function above(folder) {
    const found = [];
    for (let end = folder.indexOf("/"); end >= 0; end = folder.indexOf("/", end + 1)) found.push(folder.slice(0, end + 1));
    return found;
  }

  // A table whose headings order it.
  function sortable(table) {
    if (!table) return;
    const heads = [...table.tHead.rows[0].cells];
    const key = (row, at) => at ? Number(row.cells[at].firstElementChild.value) : row.cells[0].textContent;
    heads.forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const up = was ? was !== "ascending" : !at;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => text(key(a, at), key(b, at)) * (up ? 1 : -1));
        table.tBodies[0].append(...rows);
      });
    });
  }
})();
