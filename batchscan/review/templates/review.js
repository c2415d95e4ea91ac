// Keys, and the next match without loading the page anew. Without it every button works as well.
"use strict";
(() => {
  const KEYS_OFF = "batchscan-review-keys-off";
  const UNDOS = "batchscan-review-undos";
  const MANY = 100; // decisions that a window can take back
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // --- the page of a site: how far what was begun is --------------------------------------------
  const LOOK = 1000; // milliseconds between two looks
  const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

  async function watch() {
    for (let job = one("#job"); job && job.hasAttribute("data-running"); job = one("#job")) {
      one("#job [data-again]").hidden = true;
      await new Promise((done) => setTimeout(done, LOOK));
      try {
        const answer = await fetch(job.dataset.job);
        const now = answer.ok && parsed(await answer.text()).querySelector("#job");
        if (!now) throw new Error("no job");
        job.replaceWith(now);
        if (!now.hasAttribute("data-running")) await ended();
      } catch {
        one("#job-said").textContent = "batchscan review does not answer any more. Start it again, and open the new address.";
        return;
      }
    }
  }

  // What it changed is shown; what somebody is writing meanwhile stays.
  async function ended() {
    one("#job-said").textContent = [...all("#job p:not(:has(a))")].map((line) => line.textContent).join(" ");
    const page = parsed(await (await fetch(location.pathname.replace(/^\/site\/.*/, "/site") + location.search)).text());
    for (const id of ["#counts", "#begin", "#actions", "#matches-list"]) {
      const before = one(id), after = page.querySelector(id);
      if (before && after) before.replaceWith(after);
    }
  }

  if (!one("#part")) return void watch();

  const actions = new Map(); // by key, from the legend
  for (const row of all("#legend tr")) {
    for (const key of row.dataset.keys.split(" ")) actions.set(key, row.dataset.does);
  }

  // --- what this window remembers ---------------------------------------------------------------
  const stored = (store, name, otherwise) => {
    try { return JSON.parse(store.getItem(name)) ?? otherwise; } catch { return otherwise; }
  };
  const keep = (store, name, value) => {
    try { store.setItem(name, JSON.stringify(value)); } catch { /* private windows may refuse */ }
  };
  const undos = stored(sessionStorage, UNDOS, []);
  const picked = new Map(); // what is selected, also beyond the list: value by ID
  let anchor = null; // ID that was selected last
  let busy = false;

  // --- showing ----------------------------------------------------------------------------------
  const idOf = (value) => value.split(":")[0];
  const boxes = () => all("#list input[name=pick]");
  const current = () => one("#list .now input");

  function showPicked() {
    for (const box of boxes()) box.checked = picked.has(idOf(box.value));
    const line = one("#selected");
    if (!line) return;
    line.hidden = !picked.size;
    line.textContent = picked.size ? `${picked.size} selected: the next decision is about all of them. Esc selects none.` : "";
  }

  function showUndo() {
    const form = one("#undo"), last = undos.at(-1);
    form.hidden = !last;
    form.elements.what.value = last ? last.what : "";
    if (last) form.action = `/undo?${last.query}`;
  }

  function say(said, warning) {
    one("#said").textContent = said || "";
    one("#warning").textContent = warning || "";
  }

  function fetchAhead() {
    const now = one("#list .now"), next = now && now.nextElementSibling && boxes()[boxes().indexOf(current()) + 1];
    if (!next) return;
    const number = next.value.split("-")[0];
    if (number !== current().value.split("-")[0]) new Image().src = `/picture/${number}/large`;
  }

  function show(html) {
    const made = document.createElement("template");
    made.innerHTML = html;
    const part = made.content.querySelector("#part");
    if (!part) throw new Error("no part");
    const held = document.activeElement && document.activeElement.closest("#part button[data-action], #part a[data-action]");
    const action = held && held.dataset.action;
    one("#part").replaceWith(part);
    document.title = `${part.dataset.title} – batchscan`;
    history.replaceState(null, "", part.dataset.address);
    say(part.dataset.said, part.dataset.warning);
    showPicked();
    showUndo();
    const again = action && one(`#part [data-action="${action}"]`);
    (again || one("#main")).focus({ preventScroll: true });
    scrollTo(0, 0);
    const now = one("#list .now");
    if (now) now.parentElement.scrollTop = now.offsetTop - now.parentElement.offsetTop - 80;
    fetchAhead();
  }

  // --- asking -----------------------------------------------------------------------------------
  async function ask(address, body) {
    if (busy) return false;
    busy = true;
    document.documentElement.toggleAttribute("data-busy", true);
    try {
      const answer = await fetch(address, { method: body ? "POST" : "GET", body });
      const html = await answer.text();
      if (!answer.ok) {
        const page = new DOMParser().parseFromString(html, "text/html");
        say("", (page.querySelector(".lead") || page.body).textContent.trim());
        return false;
      }
      show(html);
      return true;
    } catch {
      say("", "batchscan review does not answer any more. Start it again, and open the new address.");
      return false;
    } finally {
      busy = false;
      document.documentElement.toggleAttribute("data-busy", false);
    }
  }

  const go = (address) => ask(address.replace("/queue?", "/queue/part?"));

  async function send(form, button) {
    const body = new URLSearchParams(new FormData(form, button));
    body.append("part", "1");
    const query = one("#part").dataset.query;
    if (form.id === "decide") {
      const listed = new Set(body.getAll("pick").map(idOf));
      for (const [id, value] of picked) if (!listed.has(id)) body.append("pick", value);
    }
    const address = form.getAttribute("action");
    if (!(await ask(address, body))) return;
    if (form.id === "undo") {
      undos.pop();
    } else {
      const what = one("#part").dataset.undo;
      if (what) undos.push({ what, query });
      while (undos.length > MANY) undos.shift();
      picked.clear();
      anchor = null;
    }
    keep(sessionStorage, UNDOS, undos);
    showPicked();
    showUndo();
  }

  // Their site is asked slowly, so deciding goes on meanwhile.
  async function askTheirs(form, button) {
    if (button.disabled) return;
    for (const each of form.querySelectorAll("button")) each.disabled = true;
    say("Asking their site…", "");
    const body = new URLSearchParams(new FormData(form));
    body.append("part", "1");
    let made = null, trouble = "";
    try {
      const answer = await fetch(button.getAttribute("formaction") || form.getAttribute("action"), { method: "POST", body });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      made = answer.ok ? page.querySelector(".theirs") : null;
      trouble = made ? made.dataset.warning : (page.querySelector(".lead") || page.body).textContent.trim();
    } catch {
      trouble = "batchscan review does not answer any more.";
    }
    const shown = one(".theirs");
    if (!shown || !form.isConnected) return; // another match is looked at by now
    if (made) shown.replaceWith(made);
    else for (const each of form.querySelectorAll("button")) each.disabled = false;
    say(made ? made.dataset.said : "", trouble);
  }

  // --- selecting --------------------------------------------------------------------------------
  function pick(box, on, range) {
    const every = boxes(), from = every.findIndex((each) => idOf(each.value) === anchor);
    const to = every.indexOf(box);
    const some = range && from >= 0 ? every.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
    for (const each of some) {
      if (on) picked.set(idOf(each.value), each.value);
      else picked.delete(idOf(each.value));
    }
    anchor = idOf(box.value);
    showPicked();
  }

  // --- acting -----------------------------------------------------------------------------------
  function act(action, event) {
    const element = one(`#part [data-action="${action}"], .tools [data-action="${action}"], .filters [data-action="${action}"], #undo [data-action="${action}"]`);
    switch (action) {
      case "select": {
        const box = current();
        if (box) pick(box, event.shiftKey || !box.checked, event.shiftKey);
        return;
      }
      case "legend": return toggleLegend();
      case "search": return element.select();
      case "note": return element && element.focus();
      case "allow":
        if (element) { one("#allow").open = true; one("#reason").focus(); }
        return;
      case "next":
      case "previous":
        if (element) go(element.getAttribute("href"));
        return;
      default:
        if (event.repeat || busy) return; // a held key must not decide about what nobody has seen
        if (element && element.form && !element.form.hidden) element.form.requestSubmit(element);
        else if (action === "undo") say("", "Nothing was decided in this window yet that could be taken back.");
    }
  }

  function toggleLegend() {
    const legend = one("#legend");
    if (legend.open) legend.close();
    else legend.showModal();
  }

  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select");

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !one("#legend").open) {
      if (typing(event.target)) return one("#main").focus();
      picked.clear();
      return showPicked();
    }
    if (!one("#keys-on").checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.isComposing || typing(event.target)) return;
    const action = actions.get(event.key) || actions.get(event.key.toLowerCase());
    if (!action || (one("#legend").open && action !== "legend")) return;
    if (event.key.startsWith("Arrow") && event.target.closest("summary, [role=group] input")) return;
    event.preventDefault();
    act(action, event);
  });

  document.addEventListener("click", (event) => {
    const box = event.target.closest("#list input[name=pick]");
    if (box) return pick(box, box.checked, event.shiftKey);
    if (event.target.closest(".tools [data-action=legend]")) return toggleLegend();
    const link = event.target.closest("#part a[href^='/queue?']");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(link.getAttribute("href"));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    if (form.matches(".ask")) askTheirs(form, event.submitter);
    else send(form, event.submitter);
  });

  one("#keys-on").checked = !stored(localStorage, KEYS_OFF, false);
  one("#keys-on").addEventListener("change", (event) => keep(localStorage, KEYS_OFF, !event.target.checked));
  for (const element of all(".tools [hidden]")) element.hidden = false;
  showPicked();
  showUndo();
  fetchAhead();
})();
