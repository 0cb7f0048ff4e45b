"use strict";
// One person, several Telegram users. The state lives in the server; this draws it and posts what is clicked.

const $ = (id) => document.getElementById(id);
const store = {
  get: (key, fallback) => { try { return JSON.parse(localStorage.getItem("sim." + key)) ?? fallback; } catch { return fallback; } },
  set: (key, value) => { try { localStorage.setItem("sim." + key, JSON.stringify(value)); } catch { /* private mode */ } },
};
let state = null;
let selected = store.get("user", 1001);
let seen = store.get("seen", {});
let tourDone = store.get("tour", []);
let toastNumbers = {};
let drawn = { chat: "", opened: new Set() };

// ---- small things ----

function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function money(minor, currency) {
  const code = (currency ?? "usd").toLowerCase();
  const sign = minor < 0 ? "−" : "";
  const size = Math.abs(minor);
  if (SETTINGS.zero_decimal.includes(code)) return `${sign}${size} ${code === "xtr" ? "Stars" : code.toUpperCase()}`;
  const text = `${Math.trunc(size / 100)}.${String(size % 100).padStart(2, "0")}`;
  const symbol = { usd: "$", eur: "€", gbp: "£" }[code];
  return symbol ? `${sign}${symbol}${text}` : `${sign}${text} ${code.toUpperCase()}`;
}

const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
const minute = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 16);
const nameOf = (user) => [user.first_name, user.last_name].filter(Boolean).join(" ");
const initials = (user) => ((user.first_name[0] ?? "?") + (user.last_name?.[0] ?? "")).toUpperCase();
const hue = (id) => `hsl(${(id * 67) % 360} 52% 45%)`;
const avatar = (user) => h("span", { class: "avatar", style: `background:${hue(user.id)}` }, initials(user));

let toastTimer;
function toast(text, seconds = 3) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, seconds * 1000);
}

async function post(path, body) {
  let answer = {};
  try {
    const response = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json", "X-Local-Token": SETTINGS.token }, body: JSON.stringify(body ?? {}),
    });
    answer = await response.json().catch(() => ({}));
    if (!response.ok) {
      toast(answer.error ?? answer.detail ?? `${path}: ${response.status}`, 5);
      return null;
    }
    if (answer.kind === "update" && !(answer.status >= 200 && answer.status < 300)) {
      toast(`The bot's webhook answered ${answer.status ?? "nothing"}.`, 5);
    }
    if (answer.undelivered > 0) toast(`${answer.undelivered} event(s) were not taken by the webhook.`, 5);
  } catch {
    toast("The stack does not answer.", 5);
    return null;
  } finally {
    poll();
  }
  return answer;
}

const api = (path, body) => post("/sim/api/" + path, body);

async function copy(text) {
  try { await navigator.clipboard.writeText(text); toast("Copied: " + text); } catch { toast(text, 6); }
}

// ---- links ----

function isBotLink(url) {
  try {
    const parsed = new URL(url);
    const bot = parsed.protocol === "tg:" ? parsed.searchParams.get("domain")
      : ["t.me", "telegram.me"].includes(parsed.hostname) ? parsed.pathname.replaceAll("/", "") : null;
    return bot !== null && bot.toLowerCase() === SETTINGS.bot.toLowerCase();
  } catch { return false; }
}

function openUrl(url) {
  if (isBotLink(url)) pickUser(url);
  else if (/^https?:\/\//i.test(url)) window.open(url, "_blank", "noopener");
  else toast(url);
}

// A referral link is meant for another person, so it asks whose phone it is tapped on.
const pickUser = (url) => pick("Open as…", url, (user) => api("telegram/open", { user_id: user.id, url }));

function pick(title, about, act) {
  const dialog = $("picker");
  const open = async (user) => {
    dialog.close();
    select(user.id);
    await act(user);
  };
  dialog.replaceChildren(
    h("p", {}, h("b", {}, title)), h("p", { class: "dim small" }, about),
    ...state.users.map((user) => h("button", { class: "user", onclick: () => open(user) }, avatar(user),
      h("span", { class: "who" }, h("span", {}, nameOf(user) + (user.id === selected ? " (you)" : ""))))),
    h("button", { class: "action cancel", onclick: () => dialog.close() }, "Cancel"),
  );
  dialog.showModal();
}

// ---- bot HTML: rebuilt from an allow-list, never assigned ----

const PLAIN = { B: "b", STRONG: "b", I: "i", EM: "i", U: "u", INS: "u", S: "s", STRIKE: "s", DEL: "s", BLOCKQUOTE: "blockquote", PRE: "pre", CODE: "code" };

function safeNodes(source) {
  const nodes = [];
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) { nodes.push(...linked(child.data)); continue; }
    if (child.nodeType !== Node.ELEMENT_NODE) continue;
    const inside = safeNodes(child);
    const tag = child.tagName;
    if (tag === "A") nodes.push(anchor(child.getAttribute("href") ?? "", child.textContent));
    else if (tag === "TG-SPOILER" || (tag === "SPAN" && child.className === "tg-spoiler")) nodes.push(h("span", { class: "spoiler" }, inside));
    else if (tag === "CODE" || tag === "PRE") nodes.push(h(PLAIN[tag], { title: "Tap to copy", onclick: (event) => { event.stopPropagation(); copy(child.textContent); } }, child.textContent));
    else if (PLAIN[tag]) nodes.push(h(PLAIN[tag], {}, inside));
    else nodes.push(...inside);
  }
  return nodes;
}

const anchor = (url, text) => h("a", { role: "link", tabIndex: 0, title: url, onclick: () => openUrl(url), onkeydown: (event) => { if (event.key === "Enter") openUrl(url); } }, text);

function linked(text) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"]*[^\s<>".,;:!?)]|(?<![\w/])\/[a-z_]{2,32}\b(?!\/)/gi)) {
    nodes.push(text.slice(last, match.index));
    const found = match[0];
    nodes.push(found.startsWith("/") ? h("a", { role: "button", tabIndex: 0, onclick: () => send(found) }, found) : anchor(found, found));
    last = match.index + found.length;
  }
  nodes.push(text.slice(last));
  return nodes;
}

function content(message) {
  if (!message.html) return linked(message.text);
  return safeNodes(new DOMParser().parseFromString(message.html, "text/html").body);
}

// ---- the chat ----

const send = (text) => api("telegram/send", { user_id: selected, text });

async function tap(message, row, column) {
  const answer = await api("telegram/tap", { user_id: selected, message_id: message.id, row, column });
  if (answer?.kind === "url") openUrl(answer.url);
  if (answer?.kind === "copy") copy(answer.text);
}

function keys(message) {
  const corner = (button) => (button.url ? "↗" : button.copy_text ? "copy" : "");
  const rows = (message.buttons ?? []).map((row, r) => h("div", {}, row.map((button, c) =>
    h("button", { title: button.url ?? button.copy_text?.text ?? "", onclick: () => tap(message, r, c) },
      button.text, h("span", { class: "corner" }, corner(button))))));
  if (message.invoice && rows.length === 0) {
    const { total_amount, currency } = message.invoice;
    rows.push(h("div", {}, h("button", { onclick: () => api("telegram/pay", { user_id: selected, message_id: message.id }) }, `Pay ${money(total_amount, currency)}`)));
  }
  return rows.length ? h("div", { class: "keys" }, rows) : null;
}

function bubble(message) {
  const buttons = keys(message);
  const body = message.invoice
    ? [h("div", { class: "invoice" }, message.invoice.title), h("div", {}, message.invoice.description)]
    : content(message);
  const time = message.author === "service" ? null : h("time", {}, (message.edited ? "edited " : "") + minute(message.date));
  const from = selected;
  const forward = () => pick("Forward to the bot as…", message.text, (user) =>
    api("telegram/forward", { user_id: user.id, from_user_id: from, message_id: message.id }));
  if (time) time.append(" ", h("a", { role: "button", tabIndex: 0, title: "Forward to the bot", onclick: forward }, "↪"));
  return h("div", { class: `message ${message.author} ${buttons ? "buttons" : ""}` }, h("div", { class: "bubble" }, body, time), buttons);
}

function drawChat() {
  const user = state.users.find((one) => one.id === selected);
  const fallback = { id: selected, first_name: "User", last_name: String(selected), blocked: false };
  const who = user ?? fallback;
  $("chat-head").replaceChildren(avatar(who),
    h("span", { class: "who" }, h("b", {}, nameOf(who)), h("span", { class: "dim small" }, `chatting with @${SETTINGS.bot}` + (who.username ? ` as @${who.username}` : "") + `, id ${who.id}`)),
    user && h("button", { class: "action" + (who.blocked ? "" : " danger"), onclick: () => api("telegram/block", { user_id: who.id, blocked: !who.blocked }) }, who.blocked ? "Unblock bot" : "Block bot"));
  // First the bar below: it takes height from the messages, and they must end at their bottom.
  drawSuggestions();
  const stamp = JSON.stringify([selected, state.chat.messages]);
  if (stamp !== drawn.chat) {
    const box = $("messages");
    const sameChat = drawn.chat.startsWith(`[${selected},`);
    const atEnd = !sameChat || box.scrollHeight - box.scrollTop - box.clientHeight < 120;
    box.replaceChildren(...state.chat.messages.map(bubble));
    if (!state.chat.messages.length) box.append(h("div", { class: "empty" }, "No messages yet. Try /start below."));
    if (atEnd) box.scrollTop = box.scrollHeight;
    drawn.chat = stamp;
  }
  const shown = state.chat.toast;
  if (shown && toastNumbers[selected] !== undefined && shown.number > toastNumbers[selected]) {
    if (shown.alert) toast("⚠ " + shown.text, 6); else toast(shown.text);
  }
  toastNumbers[selected] = shown?.number ?? 0;
}

function drawSuggestions() {
  const menu = (state.commands ?? []).map((command) => "/" + command.command);
  const known = ["/start", "/recruit", "/credits", "/plans", "/profile", "/help"];
  const typed = $("composer").elements.text.value.trim();
  const all = [...new Set([...known, ...menu])];
  const fitting = typed.startsWith("/") ? all.filter((command) => command.startsWith(typed) && command !== typed) : all;
  const last = state.chat.messages.findLast((message) => message.keyboard);
  const replies = (last?.keyboard ?? []).flat().map((button) => button.text ?? button);
  $("suggestions").replaceChildren(...[...replies, ...fitting].map((text) =>
    h("button", { type: "button", onclick: () => { $("composer").elements.text.value = ""; send(text); } }, text)));
}

// ---- users ----

function select(id) {
  selected = id;
  store.set("user", id);
  state = state && { ...state, chat: { messages: [], toast: null } };
  poll(true);
}

function drawUsers() {
  const others = state.other_chats.map((id) => ({ id, first_name: "Chat", last_name: String(id), bot_messages: 0, last_text: "not a simulated user" }));
  for (const user of state.users) if (user.id === selected) seen[user.id] = user.bot_messages;
  store.set("seen", seen);
  $("users").replaceChildren(...[...state.users, ...others].map((user) => {
    const unread = user.bot_messages - (seen[user.id] ?? 0);
    return h("button", { class: "user" + (user.id === selected ? " selected" : ""), onclick: () => select(user.id) },
      avatar(user),
      h("span", { class: "who" }, h("span", {}, nameOf(user) + (user.blocked ? " (blocked)" : "")), h("span", { class: "dim small preview" }, user.last_text ?? "no messages")),
      unread > 0 && h("span", { class: "badge" }, String(unread)));
  }));
}

// ---- money ----

const billing = (action, extra) => api("stripe/" + action, { user_id: selected, ...extra });
const action = (text, run, options = {}) => h("button", { class: `action ${options.kind ?? ""}`, disabled: options.off, title: options.title, onclick: run }, text);

function credit(minor, currency) {
  if (minor === 0) return h("span", {}, money(0, currency));
  const text = minor < 0 ? `${money(-minor, currency)} credit` : `${money(minor, currency)} owed`;
  return h("span", { class: minor < 0 ? "amount-good" : "amount-bad" }, text);
}

function drawMoney() {
  const user = state.users.find((one) => one.id === selected);
  const title = `${user?.first_name ?? "User " + selected}'s subscription`;
  const found = state.money;
  const running = found?.subscriptions.find((one) => one.status === "active");
  const unfinished = found?.invoices.find((one) => one.status === "draft" || one.status === "open");
  const refundable = found?.invoices.find((one) => one.sim_charged > one.sim_refunded);
  const plan = running?.items.data[0].price;
  const facts = h("dl", { class: "facts" },
    h("dt", {}, "Status"), h("dd", {}, running ? h("span", { class: "tag active" }, "active") : h("span", { class: "tag" }, found ? "canceled" : "not a customer")),
    running && [h("dt", {}, "Plan"), h("dd", {}, `${plan.nickname}, ${money(plan.unit_amount, plan.currency)} a month`)],
    running && [h("dt", {}, "Period ends"), h("dd", {}, day(running.items.data[0].current_period_end))],
    found && [h("dt", {}, "Stripe balance"), h("dd", {}, credit(found.customer.balance, found.customer.currency))],
    found && [h("dt", {}, "Customer"), h("dd", { class: "dim" }, found.customer.id)]);
  const plans = SETTINGS.plans.map((one, index) => action(`${one.name} ${money(one.price_minor, one.currency)}`, () => billing("subscribe", { plan: one.id }), { kind: index === 0 ? "primary" : "" }));
  const buttons = running
    ? [
      action("Create next invoice", () => billing("next-invoice"), { kind: unfinished ? "" : "primary", off: Boolean(unfinished), title: "A draft renewal: Stripe waits an hour before it finalizes one" }),
      action("Finalize and pay", () => billing("finalize"), { kind: unfinished ? "primary" : "", off: !unfinished }),
    ]
    : [h("span", { class: "dim", style: "width:100%" }, "Subscribe to:"), ...plans];
  const rest = found ? [
    action("Void", () => billing("void"), { off: !unfinished }),
    action("Refund last payment", () => billing("refund"), { off: !refundable, kind: "danger" }),
    action("Cancel", () => billing("cancel"), { off: !running, kind: "danger" }),
  ] : [];
  $("money").replaceChildren(h("section", { class: "panel" }, h("h2", {}, title), facts, h("div", { class: "row" }, buttons, rest), invoices(found), lines(found)));
}

function invoices(found) {
  if (!found?.invoices.length) return null;
  return h("table", {}, h("tr", {}, ["Invoice", "Total", "Credit", "Due", ""].map((text) => h("th", {}, text))),
    found.invoices.slice(0, 6).map((one) => {
      const applied = (one.ending_balance ?? one.starting_balance) - one.starting_balance;
      const used = one.status === "draft" ? one.total - one.amount_due : applied;
      const status = one.sim_refunded > 0 ? (one.sim_refunded === one.sim_charged ? "refunded" : "part refunded") : one.status;
      return h("tr", { title: one.id }, h("td", {}, day(one.created)), h("td", {}, money(one.total, one.currency)),
        h("td", {}, used > 0 ? h("span", { class: "amount-good" }, money(-used, one.currency)) : used < 0 ? money(-used, one.currency) : ""),
        h("td", {}, money(one.amount_due, one.currency)), h("td", {}, h("span", { class: `tag ${status}` }, status)));
    }));
}

function lines(found) {
  if (!found?.balance_transactions.length) return null;
  return h("table", {}, h("tr", {}, ["Balance line", "Amount", "After"].map((text) => h("th", {}, text))),
    found.balance_transactions.slice(0, 6).map((one) => h("tr", { title: JSON.stringify(one.metadata) },
      h("td", {}, one.description ?? one.type.replaceAll("_", " ")), h("td", {}, money(one.amount, one.currency)), h("td", {}, money(one.ending_balance, one.currency)))));
}

function drawLogs() {
  $("hold").checked = state.hold;
  $("events").replaceChildren(...(state.events.length ? state.events.map((event) => h("div", { title: `${event.id}, ${event.attempts} attempt(s)` },
    h("span", { class: "grow" }, event.type), h("span", { class: `tag ${event.status}` }, event.status === "delivered" ? String(event.http_status) : event.http_status ? `${event.status} ${event.http_status}` : event.status),
    h("button", { onclick: () => api("stripe/deliver", { id: event.id }) }, event.status === "held" ? "send" : "resend")))
    : [h("span", { class: "dim" }, "Nothing sent yet.")]));
  $("calls").replaceChildren(...(state.stripe_calls.length ? state.stripe_calls.map((call) => {
    const key = JSON.stringify(call);
    const box = h("details", { open: drawn.opened.has(key), ontoggle: () => { if (box.open) drawn.opened.add(key); else drawn.opened.delete(key); } },
      h("summary", {}, h("span", {}, call.method), h("span", { class: "grow", title: call.path }, call.path.replace("/v1/", "")),
        h("span", { class: `tag ${call.status < 300 ? "ok" : "failed"}` }, `${call.status}${call.replayed ? " replay" : ""}`)),
      h("pre", {}, [call.idempotency_key && `Idempotency-Key: ${call.idempotency_key}\n`, JSON.stringify(call.params, null, 1)].filter(Boolean).join("")));
    return box;
  }) : [h("span", { class: "dim" }, "None so far.")]));
  const failing = Object.entries(state.failing).filter(([, one]) => one).map(([name, one]) => `the next ${one.next} ${name} call(s) answer ${one.status}${one.after_commit ? " after taking effect" : ""}`);
  $("failing").textContent = failing.join("; ");
}

// ---- the tour ----

const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
const planOf39 = () => SETTINGS.plans.find((one) => one.price_minor >= 3900) ?? SETTINGS.plans[0];

const stateOf = async (user) => (await fetch(`/sim/api/state?user=${user}`)).json();

// Done already counts as done: the tour can be walked twice.
async function subscribed(user) {
  const { money } = await stateOf(user);
  if (money?.subscriptions.some((one) => one.status === "active")) return true;
  return api("stripe/subscribe", { user_id: user, plan: planOf39()?.id });
}

// The latest link of the bot in a chat, wherever it hides: text, link target, button.
async function linkOf(user) {
  const { chat } = await stateOf(user);
  const found = JSON.stringify(chat.messages).replaceAll("\\u0026", "&").match(/https:\/\/t\.me\/\w+\?start=[\w-]+/g) ?? [];
  return found.filter(isBotLink).pop();
}

const TOUR = [
  ["Alice: /recruit", async () => { select(1001); return api("telegram/send", { user_id: 1001, text: "/recruit" }); }],
  ["Open Alice's link as Bob", async () => {
    const url = await linkOf(1001);
    if (!url) { toast("Alice has no link yet: do step 1 first."); return null; }
    select(1002);
    return api("telegram/open", { user_id: 1002, url });
  }],
  ["Bob subscribes", async () => { select(1002); return subscribed(1002); }],
  ["Alice: /credits", async () => { select(1001); return api("telegram/send", { user_id: 1001, text: "/credits" }); }],
  ["Alice subscribes, her next bill is less", async () => {
    select(1001);
    if (!await subscribed(1001)) return null;
    await pause(1500);
    const { money } = await stateOf(1001);
    const waiting = money.invoices.some((one) => one.status === "draft" || one.status === "open");
    if (!waiting && !await api("stripe/next-invoice", { user_id: 1001 })) return null;
    await pause(2000);
    return api("stripe/finalize", { user_id: 1001 });
  }],
];

function drawTour() {
  const next = TOUR.findIndex((_, index) => !tourDone.includes(index));
  $("tour").replaceChildren(...TOUR.map(([text, run], index) => {
    const done = tourDone.includes(index);
    const go = async (event) => {
      event.currentTarget.disabled = true;
      if (await run()) { tourDone = [...new Set([...tourDone, index])]; store.set("tour", tourDone); }
      drawTour();
    };
    return h("li", {}, h("button", { class: done ? "done" : index === next ? "next" : "", title: "Click to do this step", onclick: go }, `${done ? "✓" : index + 1 + "."} ${text}`));
  }));
}

// ---- polling ----

function draw() {
  drawUsers();
  drawChat();
  drawMoney();
  drawLogs();
}

let polling = false;
let again = false;
async function poll(force) {
  if (polling) { again = again || force || true; return; }
  polling = true;
  const user = selected;
  try {
    const known = !force && state && state.user === user ? `&revision=${state.revision}` : "";
    const response = await fetch(`/sim/api/state?user=${user}${known}`);
    const fresh = await response.json();
    $("banner").hidden = true;
    $("clock").textContent = `${day(fresh.now)} ${minute(fresh.now)} UTC`;
    if (!fresh.unchanged && user === selected) { state = { ...fresh, user }; draw(); }
  } catch {
    $("banner").textContent = "The stack does not answer. Is it running?";
    $("banner").hidden = false;
  }
  polling = false;
  if (again) { again = false; poll(); }
}

// ---- what stays on the page ----

async function travel(seconds) {
  if (await post("/local/clock", { advance_seconds: seconds })) toast("The clock moved on.");
}

$("travel").append(...[["1 hour", 3600], ["1 day", 86400], ["30 days", 30 * 86400], ["366 days", 366 * 86400]].map(([text, seconds]) => action(text, () => travel(seconds))));
$("jobs").append(...["hold-release", "code-expiry", "ledger-verifier"].map((job) => action(job, async () => { if (await post("/local/jobs/" + job)) toast(`${job} ran.`); })));
$("faults").append(
  action("Stripe: 500", () => api("stripe/fail", { next: 1, status: 500 }), { title: "The next call to Stripe fails and does nothing" }),
  action("Stripe: lost answer", () => api("stripe/fail", { next: 1, status: 500, after_commit: true }), { title: "The next call to Stripe takes effect, but its answer is lost" }),
  action("Telegram: 429", () => api("telegram/fail", { next: 1, status: 429, retry_after: 1 }), { title: "The next Bot API call is told to wait a second" }));
$("hold").addEventListener("change", async (event) => {
  const on = event.target.checked;
  await api("stripe/hold", { hold: on });
  if (!on && state.events.some((one) => one.status === "held")) await api("stripe/deliver", { held: true });
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = event.target.elements.text;
  if (field.value.trim()) send(field.value);
  field.value = "";
});
$("composer").elements.text.addEventListener("input", () => state && drawSuggestions());
$("add-user").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = event.target.elements.name;
  const [first_name, ...rest] = field.value.trim().split(/\s+/);
  if (!first_name) return;
  const answer = await api("users", { first_name, last_name: rest.join(" "), username: field.value.trim().toLowerCase().replace(/\W+/g, "_") });
  if (answer) { field.value = ""; select(answer.user_id); }
});
drawTour();
poll(true);
setInterval(poll, 1000);
