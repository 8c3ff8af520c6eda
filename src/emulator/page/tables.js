// The cards, and the tables of topics and subscriptions. Rows are kept and only their figures change, so that
// the keyboard's focus stays where it is.
import {age, element, make, number, project, rate, set, short} from './api.js';
import {Chart, Rate} from './chart.js';

const most = 200;  // rows; with more, names are found by the filter

class Table {
  #rows = new Map();

  constructor(id, make_row) {
    this.id = id;
    this.body = element(id);
    this.make_row = make_row;
  }

  /// Shows these entries, in their order, and returns their rows.
  update(entries, wanted) {
    const found = entries.filter(entry => wanted(entry.name));
    const shown = found.slice(0, most);
    const names = new Set(shown.map(entry => entry.name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.element.remove();
      this.#rows.delete(name);
    }
    let before = null;
    for (const entry of shown) {
      let row = this.#rows.get(entry.name);
      if (!row) this.#rows.set(entry.name, row = this.make_row(entry));
      const place = before ? before.nextSibling : this.body.firstChild;
      if (place !== row.element) this.body.insertBefore(row.element, place);
      before = row.element;
      row.update(entry);
    }
    set(element(`${this.id}-count`), entries.length === shown.length ? number(entries.length)
      : `${number(shown.length)} of ${number(entries.length)}; the filter finds the others`);
    element(`${this.id}-none`).hidden = entries.length > 0;
    this.body.parentElement.hidden = entries.length === 0;
  }
}

function cell(label, kind) {
  const made = make('td', {className: kind ?? ''});
  if (label) made.dataset.label = label;
  return made;
}

function button(label, name, work) {
  const made = make('button', {text: label, onclick: work});
  made.setAttribute('aria-label', `${label} ${short(name)}`);
  return made;
}

function heading(name) {
  const small = make('small');
  const made = make('th', {scope: 'row', title: name}, make('span', {text: short(name)}), small);
  return {made, small};
}

/// A number with its last minute.
function rate_cell(label) {
  const made = cell(label, 'n'), chart = new Chart(), figure = make('span');
  made.append(make('span', {}, chart.element, figure));
  return {made, show: history => { chart.draw(history); set(figure, rate(history.latest)); }};
}

export class Tables {
  #rates = new Map();
  #cards = new Map();

  constructor(actions) {
    this.topics = new Table('topics', topic => this.#topic_row(topic, actions));
    this.subscriptions = new Table('subscriptions', subscription => this.#subscription_row(subscription, actions));
    for (const [key, title, drawn] of [
      ['published', 'Published per second', true], ['acknowledged', 'Acked per second', true], ['backlog', 'Backlog'],
      ['outstanding', 'In flight'], ['deadLettered', 'Dead letters']]) this.#add_card(key, title, drawn);
  }

  update(state, time, wanted) {
    this.state = state;
    const count = (kind, name, value) => this.rate(kind, name).add(value, time);
    for (const topic of state.topics) count('topic', topic.name, topic.published);
    for (const subscription of state.subscriptions) count('subscription', subscription.name, subscription.acknowledged);
    const sum = (list, key) => list.reduce((total, entry) => total + entry[key], 0);
    const totals = {published: sum(state.topics, 'published')};
    for (const key of ['acknowledged', 'backlog', 'outstanding', 'deadLettered']) totals[key] = sum(state.subscriptions, key);
    for (const [key, card] of this.#cards) card(totals, time);
    this.projects = new Set(state.topics.map(topic => project(topic.name))).size;
    this.topics.update(state.topics, wanted);
    this.subscriptions.update(state.subscriptions, wanted);
  }

  rate(kind, name) {
    const key = `${kind} ${name}`;
    let found = this.#rates.get(key);
    if (!found) this.#rates.set(key, found = new Rate());
    return found;
  }

  #add_card(key, title, drawn) {
    const figure = make('strong', {text: '–'}), small = make('small');
    const made = make('article', {className: 'card'}, make('h2', {text: title}), figure);
    const chart = drawn ? new Chart() : null;
    made.append(chart ? chart.element : small);
    element('cards').append(made);
    this.#cards.set(key, (totals, time) => {
      const history = this.rate('total', key);
      history.add(totals[key], time);
      set(figure, drawn ? rate(history.latest) : number(totals[key]));
      chart?.draw(history);
      if (key === 'deadLettered') made.classList.toggle('bad', totals[key] > 0);
      const oldest = this.state.subscriptions.map(subscription => subscription.oldest).filter(Boolean).sort()[0];
      if (key === 'backlog') set(small, oldest ? `the oldest for ${age(oldest)}` : 'nothing waits');
      if (key === 'outstanding') set(small, 'delivered, not yet acked');
      if (key === 'deadLettered') set(small, totals[key] ? 'since the start' : 'none');
    });
  }

  #topic_row({name}, actions) {
    const {made, small} = heading(name);
    const published = cell('Published', 'n'), speed = rate_cell('Published per second'), count = cell('Subscriptions', 'n');
    const row = make('tr', {}, made, published, speed.made, count,
      make('td', {}, make('div', {className: 'actions'}, button('Publish', name, () => actions.publish(name)))));
    return {element: row, update: topic => {
      const readers = this.state.subscriptions.filter(subscription => subscription.topic === name);
      const sources = this.state.subscriptions.filter(subscription => subscription.deadLetterTopic === name);
      set(small, [this.projects > 1 && `in ${project(name)}`, sources.length && `dead letters of ${sources.map(source => short(source.name)).join(', ')}`]
        .filter(Boolean).join(', '));
      set(published, number(topic.published));
      speed.show(this.rate('topic', name));
      set(count, readers.length, {bad: readers.length === 0 && topic.published > 0});
    }};
  }

  #subscription_row({name}, actions) {
    const {made, small} = heading(name);
    const cells = [['backlog', 'Backlog'], ['oldest', 'Oldest'], ['outstanding', 'In flight']].map(([key, label]) => [key, cell(label, 'n')]);
    const speed = rate_cell('Acked per second'), failed = cell('Failed', 'n'), dead = cell('Dead letters', 'n');
    const pull = button('Pull', name, () => actions.pull(name)), replay = button('Replay', name, () => actions.replay_all(name));
    const row = make('tr', {}, made, ...cells.map(([, made_cell]) => made_cell), speed.made, failed, dead,
      make('td', {}, make('div', {className: 'actions'}, pull, replay,
        button('Seek', name, () => actions.seek(name)), button('Purge', name, () => actions.purge(name)))));
    return {element: row, update: subscription => {
      set(small, [`of ${short(subscription.topic)}`, subscription.push && `pushed to ${subscription.push}`,
        subscription.filter && `filter ${subscription.filter}`,
        subscription.deadLetterTopic && `dead letters to ${short(subscription.deadLetterTopic)}`].filter(Boolean).join(', '));
      for (const [key, made_cell] of cells) set(made_cell, key === 'oldest' ? age(subscription.oldest) || '–' : number(subscription[key]));
      speed.show(this.rate('subscription', name));
      set(failed, number(subscription.failed), {bad: subscription.failed > 0});
      set(dead, number(subscription.deadLettered), {bad: subscription.deadLettered > 0});
      pull.hidden = Boolean(subscription.push);
      replay.hidden = Boolean(subscription.push) || !this.sources_of(name).length;
    }};
  }

  /// The subscriptions whose dead letters come to this one.
  sources_of(name) {
    const topic = this.state.subscriptions.find(subscription => subscription.name === name)?.topic;
    return this.state.subscriptions.filter(subscription => topic && subscription.deadLetterTopic === topic);
  }
}
