// Search, filters, order and keys for the pictures of the page; all of it reads well without.
"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const list = by("list");
  for (const node of document.querySelectorAll(".with-script")) node.hidden = false;
  sortable(by("site-table"));
  if (!list) return;

  const tools = by("tools");
  const heads = [];
  const pictures = [];
  for (const node of list.children) {
    if (node.matches(".group")) {
      heads.push({ node, members: [] });
      continue;
    }
    const [full, total, newest] = node.dataset.n.split(" ").map(Number);
    const path = node.querySelector(".path").textContent;
    const matches = Array.from(node.querySelectorAll(".match"), (match) => {
      const [kind, state, decided] = match.dataset.m.split(" ");
      return { node: match, kind, state, decided, site: match.dataset.site };
    });
    const folder = node.dataset.folder || path.slice(0, path.lastIndexOf("/") + 1);
    const picture = { node, place: pictures.length, full, total, newest, path, folder, matches };
    pictures.push(picture);
    heads.at(-1).members.push(picture);
  }
  const everything = { pictures: Number(tools.dataset.pictures), matches: Number(tools.dataset.matches) };
  const inFile = pictures.reduce((sum, picture) => sum + picture.matches.length, 0);
  const partly = inFile < everything.matches || pictures.length < everything.pictures;
  const choices = ["kind", "state", "decided", "site"].filter(by);

  // --- what is shown ----------------------------------------------------------------------------

  const lower = (nodes) => Array.from(nodes, (node) => node.textContent).join("\n").toLowerCase();
  const wanted = () => {
    const words = by("find").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const value = (id) => (id === "site" ? by(id).value.slice(1) : by(id).value);
    const chosen = choices.filter((id) => by(id).value).map((id) => [id, value(id)]);
    return { words, chosen, folder: by("folder")?.value || "" };
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
    const counts = [part(shownPictures, everything.pictures, "picture", "s"), part(shownMatches, everything.matches, "match", "es")];
    const said = counts.join(", ") + (partly ? `; this file does not hold all, ${tools.dataset.table} does` : "");
    if (by("status").value !== said) by("status").value = said;
    for (const row of document.querySelectorAll("#site-table tbody tr")) {
      const to = row.querySelector("a");
      row.classList.toggle("chosen", Boolean(to) && by("site")?.value === ` ${to.dataset.site}`);
    }
    for (const head of heads) {
      head.node.hidden = by("order").value !== "fresh" || !head.members.some((picture) => !picture.node.hidden);
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
    const first = new Map(heads.map((head) => [head.members[0], head.node]));
    for (const picture of pictures) {
      if (first.has(picture)) sorted.append(first.get(picture));
      sorted.append(picture.node);
    }
    list.append(sorted);
    filter();
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
  for (const id of [...choices, "folder"].filter(by)) by(id).addEventListener("change", filter);
  by("order").addEventListener("change", order);
  by("tools").addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  by("clear").addEventListener("click", (event) => { event.preventDefault(); clear(); });
  by("clear-too").addEventListener("click", () => { clear(); by("find").focus(); });
  const table = by("site-table");
  if (table) table.addEventListener("click", (event) => {
    const to = event.target.closest("a[data-site]");
    if (!to || ![...(by("site")?.options || [])].some((option) => option.value === ` ${to.dataset.site}`)) return;
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
