// Messages, each with what it says and what happened to it.
import {clock, element, make, number, set, short, size} from './api.js';

const kinds = {
  acknowledged: 'good', nacked: 'bad', 'push refused': 'bad', 'deadline passed': 'bad', 'dead-lettered': 'bad', delivered: 'warn', expired: 'bad', 'filtered out': '',
};

function chips_of(message) {
  const last = new Map();
  for (const step of message.steps ?? []) last.set(step.subscription, step);
  if (!last.size) return [make('span', {className: 'chip', text: message.reason ?? 'waiting'})];
  return [...last].map(([subscription, {step}]) =>
    make('span', {className: `chip ${kinds[step] ?? ''}`, text: last.size > 1 ? `${short(subscription)}: ${step}` : step}));
}

function life_of(message) {
  const steps = [make('li', {}, make('time', {text: message.time ? clock(message.time) : 'earlier'}),
    message.topic ? `published to ${short(message.topic)}` : 'published')];
  for (const {time, step, subscription, consumer, attempts, status} of message.steps ?? []) {
    const where = short(subscription);
    const said = step === 'delivered' ? `delivered to ${where}, consumer ${consumer}`
      : step === 'push refused' ? `pushed for ${where}, ${status ? `answered ${status}` : 'without an answer'}`
        : `${step}${step === 'dead-lettered' ? ' from' : ' in'} ${where}`;
    steps.push(make('li', {className: kinds[step] ?? ''}, make('time', {text: clock(time)}), said + (attempts ? `, attempt ${attempts}` : '')));
  }
  return make('ol', {className: 'life'}, ...steps);
}

function list(pairs) {
  const made = make('dl');
  for (const [key, value] of pairs) made.append(make('dt', {text: key}), make('dd', {}, make('code', {text: value})));
  return made;
}

function fill(row, message, buttons) {
  const part = kind => row.querySelector(`.${kind}`);
  set(part('when'), message.time ? clock(message.time) : '');
  const unknown = message.call === undefined && message.text === undefined;
  set(part('what'), (message.call ?? message.text ?? 'content no longer held') + (message.truncated ? ' …' : ''), {call: message.call});
  if (!unknown && part('what').textContent === '') set(part('what'), Object.keys(message.attributes ?? {}).length ? 'attributes only' : 'empty');
  set(part('where'), message.where ?? (message.topic ? short(message.topic) : ''));
  part('chips').replaceChildren(...chips_of(message));
  const facts = [['id', message.id], ...(message.facts ?? [])];
  if (message.size !== undefined) facts.push(['size', size(message.size) + (message.binary ? ', shown in hexadecimal' : '')]);
  if (message.orderingKey) facts.push(['ordering key', message.orderingKey]);
  part('more').replaceChildren(list(facts), ...(message.steps ? [life_of(message)] : []));
  const attributes = Object.entries(message.attributes ?? {});
  if (attributes.length) part('more').append(make('section', {}, make('strong', {text: 'Attributes'}), list(attributes)));
  if (buttons) part('more').append(make('div', {className: 'actions'}, ...buttons(message)));
}

/// A list of messages by id; what did not change is not touched, so that it stays open and selected.
export class MessageList {
  #rows = new Map();

  constructor(holder, buttons) {
    this.holder = holder;
    this.buttons = buttons;
  }

  update(messages) {
    const ids = new Set(messages.map(message => message.id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let before = null;
    for (const message of messages) {
      let row = this.#rows.get(message.id);
      if (!row) {
        row = {element: element('row-of-message').content.firstElementChild.cloneNode(true), said: ''};
        this.#rows.set(message.id, row);
      }
      const place = before ? before.nextSibling : this.holder.firstChild;
      if (place !== row.element) this.holder.insertBefore(row.element, place);
      before = row.element;
      const said = JSON.stringify(message);
      if (said === row.said) continue;
      row.said = said;
      fill(row.element, message, this.buttons);
    }
  }
}

export class Messages {
  constructor(actions) {
    this.latest = new MessageList(element('messages'));
    this.dead = new MessageList(element('dead-letters'),
      letter => letter.text === undefined && letter.call === undefined ? [] :
        [make('button', {text: `Replay to ${short(letter.sourceTopic)}`, onclick: () => actions.replay(letter)})]);
  }

  update(messages, letters, filter) {
    const wanted = message => !filter || JSON.stringify(message).toLowerCase().includes(filter);
    const shown = messages.filter(wanted);
    this.latest.update(shown);
    set(element('messages-count'), messages.length ? `the latest ${number(messages.length)}${filter ? `, ${number(shown.length)} shown` : ''}` : '');
    element('messages-none').hidden = messages.length > 0;
    element('dead-section').hidden = letters.length === 0;
    set(element('dead-count'), `the latest ${number(letters.length)}`);
    this.dead.update(letters.filter(wanted).map(letter => ({
      ...letter, where: `from ${short(letter.subscription)}`, steps: undefined,
      facts: [['why', letter.reason], ['subscription', letter.subscription], ['dead-letter topic', letter.topic], ['there as', letter.copy]],
    })));
  }
}
