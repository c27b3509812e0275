"use strict";

const RELEASE = "@{version}";
const API = "/api/v1";
const STATES = ["PENDING", "APPROVED", "SHIPPED", "RECEIVED", "REJECTED"];

const find = (id) => document.getElementById(id);
let token = null; // in memory only: a reload signs out

async function call(method, path, body) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  if (answer.status === 204) return null;
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.detail);
  return content;
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function column(state, cards) {
  const made = element("div", "", "column");
  made.append(element("h2", `${state.toLowerCase()} (${cards.length})`));
  for (const card of cards) {
    const item = element("article", "", "card");
    item.append(element("strong", `Card ${card.id}`), element("span", `product ${card.product_id}`));
    item.append(element("span", `${card.quantity} pieces`), element("time", card.updated_at.slice(0, 16).replace("T", " ")));
    made.append(item);
  }
  return made;
}

async function showBoard() {
  const { cards } = await call("GET", "/ppic/kanban/cards/all");
  find("board").replaceChildren(...STATES.map((state) => column(state, cards.filter((card) => card.state === state))));
}

function showSignedIn(username) {
  find("sign-in").hidden = username !== null;
  find("who").hidden = find("board").hidden = username === null;
  find("name").textContent = username ?? "";
}

async function attempt(action) {
  find("message").textContent = "";
  try {
    await action();
  } catch (problem) {
    find("message").textContent = problem.message;
  }
}

find("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const { username, password } = Object.fromEntries(new FormData(form));
  attempt(async () => {
    token = (await call("POST", "/auth/login", { username, password })).access_token;
    form.reset();
    await showBoard();
    showSignedIn(username);
  });
});

find("sign-out").addEventListener("click", () =>
  attempt(async () => {
    await call("POST", "/auth/logout");
    token = null;
    showSignedIn(null);
  }),
);

find("release").textContent = RELEASE;
