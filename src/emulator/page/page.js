// The page, live: asks for the figures every second, less often when the server does not answer, and not at
// all while nobody looks.
import {Actions} from './actions.js';
import {call, element, number, set} from './api.js';
import {Messages} from './messages.js';
import {Tables} from './tables.js';

const period = 1000, longest_pause = 15_000;
let timer = 0, pause = period, busy = false, again = false;
let latest = {messages: [], deadLetters: []};

const actions = new Actions(() => refresh());
const tables = new Tables(actions);
const messages = new Messages(actions);
actions.tables = tables;

const filter = () => element('filter').value.trim().toLowerCase();

function show(state, time) {
  const text = filter();
  tables.update(state, time, name => name.toLowerCase().includes(text));
  messages.update(latest.messages, latest.deadLetters, text);
}

async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  clearTimeout(timer);
  try {
    const [state, life, dead] = await Promise.all(['/state', '/messages', '/dead-letters'].map(path => call('GET', path)));
    latest = {...life, ...dead};
    show(state, performance.now());
    set(element('status'), `Live: ${number(state.topics.length)} topics, ${number(state.subscriptions.length)} subscriptions`, {bad: false});
    pause = period;
  } catch {
    set(element('status'), 'The server does not answer; trying again.', {bad: true});
    pause = Math.min(pause * 2, longest_pause);
  }
  busy = false;
  const next = again ? 0 : pause;
  again = false;
  if (!document.hidden) timer = setTimeout(refresh, next);
}

element('filter').addEventListener('input', () => tables.state && refresh());
document.addEventListener('visibilitychange', () => document.hidden ? clearTimeout(timer) : refresh());
document.addEventListener('keydown', event => {
  if (event.key !== '/' || event.target.matches('input, textarea, select') || document.querySelector('dialog[open]')) return;
  event.preventDefault();
  element('filter').focus();
});
refresh();
