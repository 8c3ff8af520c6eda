// What the page does to the server, each in a dialog of its own.
import {age, call, decode, element, encode, make, number, project, set, short} from './api.js';
import {MessageList} from './messages.js';

const marks = 'CloudPubSubDeadLetterSource';
const most_pulled = 10, most_replayed = 1000;

export class Actions {
  /// `changed` is called after each change; `tables` knows the state.
  constructor(changed) {
    this.changed = changed;
    this.#publish_dialog();
    this.#pull_dialog();
    this.#seek_dialog();
    this.#confirm_dialog();
  }

  publish(topic) {
    const dialog = element('publish'), select = dialog.querySelector('[name=topic]');
    const topics = this.tables.state?.topics.map(entry => entry.name) ?? [];
    select.replaceChildren(...topics.map(name => make('option', {value: name, text: this.tables.projects > 1 ? name : short(name)})));
    if (topic) select.value = topic;
    this.#open(dialog);
    dialog.querySelector('[name=data]').focus();
  }

  pull(subscription) {
    const dialog = element('pull');
    this.subscription = subscription;
    this.pulled = [];
    this.pulled_list.update([]);
    this.#open(dialog, `Pull from ${short(subscription)}`);
    this.#run(dialog, () => this.#pull_more());
  }

  async seek(subscription) {
    const dialog = element('seek'), select = dialog.querySelector('[name=snapshot]');
    this.subscription = subscription;
    select.replaceChildren(make('option', {value: '', text: 'none'}));
    dialog.querySelector('[name=time]').value = '';
    this.#open(dialog, `Seek ${short(subscription)}`);
    try {
      const {snapshots = []} = await call('GET', `/v1/projects/${encodeURIComponent(project(subscription))}/snapshots`);
      select.append(...snapshots.map(({name}) => make('option', {value: name, text: short(name)})));
    } catch { /* a time can be given all the same */ }
  }

  purge(subscription) {
    const {backlog} = this.tables.state.subscriptions.find(entry => entry.name === subscription);
    this.#confirm('Purge', `Drop all that waits in ${short(subscription)}, ${number(backlog)} messages? They count as acknowledged.`, async () => {
      await call('POST', `/v1/${subscription}:seek`, {time: new Date(Date.now() + 1000).toISOString()});
      return `${short(subscription)} is empty.`;
    });
  }

  /// One dead letter, from what the server still holds of it.
  replay(letter) {
    this.#confirm('Replay', `Publish this message to ${short(letter.sourceTopic)} again? The dead letter stays where it is.`, async () => {
      const {data, attributes, orderingKey} = await call('GET', `/messages/${letter.copy}`);
      const {messageIds} = await this.#publish_again(letter.sourceTopic, [{data, attributes, orderingKey}]);
      return `Published as ${messageIds[0]}.`;
    });
  }

  /// All that waits in a subscription of dead letters: published again first, acknowledged then, so that
  /// nothing is lost between.
  replay_all(subscription) {
    const sources = this.tables.sources_of(subscription);
    this.#confirm('Replay', `Move what waits in ${short(subscription)} back to where it came from? Up to ${number(most_replayed)} messages.`, async () => {
      const {receivedMessages = []} = await call('POST', `/v1/${subscription}:pull`, {maxMessages: most_replayed});
      let moved = 0, kept = 0;
      for (const {ackId, message} of receivedMessages) {
        const {[`${marks}Subscription`]: id, [`${marks}SubscriptionProject`]: owner} = message.attributes ?? {};
        const topic = sources.find(source => source.name === `projects/${owner}/subscriptions/${id}`)?.topic;
        if (!topic) {
          ++kept;
          await call('POST', `/v1/${subscription}:modifyAckDeadline`, {ackIds: [ackId], ackDeadlineSeconds: 0});
          continue;
        }
        await this.#publish_again(topic, [message]);
        await call('POST', `/v1/${subscription}:acknowledge`, {ackIds: [ackId]});
        ++moved;
      }
      return `${number(moved)} replayed${kept ? `; ${number(kept)} stay, because their subscription is gone` : ''}.`;
    });
  }

  #publish_again(topic, messages) {
    return call('POST', `/v1/${topic}:publish`, {messages: messages.map(({data, attributes = {}, orderingKey}) => ({
      data, orderingKey, attributes: Object.fromEntries(Object.entries(attributes).filter(([key]) => !key.startsWith(marks)))}))});
  }

  #open(dialog, title) {
    if (title) set(dialog.querySelector('h2'), title);
    this.#say(dialog, '');
    dialog.showModal();
  }

  #say(dialog, text, bad = false) {
    set(dialog.querySelector('.outcome'), text, {bad});
  }

  /// Does something, says what came of it, and stays open.
  async #run(dialog, work) {
    const buttons = [...dialog.querySelectorAll('menu button:not([value=close])')];
    const focused = document.activeElement;
    for (const made of buttons) made.disabled = true;
    try {
      this.#say(dialog, await work());
    } catch (error) {
      this.#say(dialog, `Failed: ${error.message}`, true);
    } finally {
      for (const made of buttons) made.disabled = false;
      if (dialog.open && buttons.includes(focused)) focused.focus();
    }
    this.changed();
  }

  #on_submit(dialog, works) {
    dialog.querySelector('form').addEventListener('submit', event => {
      const work = works[event.submitter?.value ?? 'go'];
      if (!work) return;
      event.preventDefault();
      this.#run(dialog, work);
    });
  }

  #publish_dialog() {
    const dialog = element('publish'), {elements} = dialog.querySelector('form');
    element('publish-button').onclick = () => this.publish();
    this.#on_submit(dialog, {go: async () => {
      const attributes = {};
      for (const line of elements.attributes.value.split('\n').filter(entry => entry.trim())) {
        const at = line.indexOf('=');
        if (at < 1) throw new Error(`"${line}" is no KEY=VALUE`);
        attributes[line.slice(0, at)] = line.slice(at + 1);
      }
      const message = {data: encode(elements.data.value), attributes, orderingKey: elements.key.value};
      const {messageIds} = await call('POST', `/v1/${elements.topic.value}:publish`, {messages: [message]});
      return `Published to ${short(elements.topic.value)} as ${messageIds[0]}.`;
    }});
  }

  #pull_dialog() {
    const dialog = element('pull');
    const settle = (messages, how) => this.#run(dialog, () => this.#settle(messages, how));
    this.pulled_list = new MessageList(dialog.querySelector('.pulled'), message => ['Ack', 'Nack'].map(label =>
      make('button', {text: label, type: 'button', onclick: () => settle([message.ackId], label)})));
    const all = () => this.pulled.map(message => message.ackId);
    this.#on_submit(dialog, {
      go: () => this.#pull_more(), ack: () => this.#settle(all(), 'Ack'), nack: () => this.#settle(all(), 'Nack')});
  }

  async #pull_more() {
    const {receivedMessages = []} = await call('POST', `/v1/${this.subscription}:pull`, {maxMessages: most_pulled});
    for (const {ackId, message, deliveryAttempt} of receivedMessages) {
      // The server reads calls; where it no longer holds the message, its data is shown as it is.
      const known = await call('GET', `/messages/${message.messageId}`).catch(() => ({text: decode(message.data), attributes: message.attributes}));
      this.pulled = this.pulled.filter(other => other.id !== message.messageId);
      this.pulled.push({...known, id: message.messageId, time: message.publishTime, ackId, data: undefined,
        reason: deliveryAttempt ? `attempt ${deliveryAttempt}` : `${age(message.publishTime)} old`});
    }
    this.pulled_list.update(this.pulled);
    return receivedMessages.length ? `${receivedMessages.length} pulled.` : 'There is nothing to pull.';
  }

  async #settle(ackIds, how) {
    if (!ackIds.length) return 'Nothing is pulled.';
    await call('POST', `/v1/${this.subscription}:${how === 'Ack' ? 'acknowledge' : 'modifyAckDeadline'}`,
      how === 'Ack' ? {ackIds} : {ackIds, ackDeadlineSeconds: 0});
    this.pulled = this.pulled.filter(message => !ackIds.includes(message.ackId));
    this.pulled_list.update(this.pulled);
    return `${ackIds.length} ${how.toLowerCase()}ed.`;
  }

  #seek_dialog() {
    const dialog = element('seek'), {elements} = dialog.querySelector('form');
    for (const preset of dialog.querySelectorAll('[data-minutes]')) {
      preset.onclick = () => {
        const time = new Date(Date.now() - preset.dataset.minutes * 60_000);
        elements.time.value = new Date(time - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
      };
    }
    this.#on_submit(dialog, {go: async () => {
      const snapshot = elements.snapshot.value;
      if (!snapshot && !elements.time.value) throw new Error('choose a time or a snapshot');
      await call('POST', `/v1/${this.subscription}:seek`, snapshot ? {snapshot} : {time: new Date(elements.time.value).toISOString()});
      return snapshot ? `${short(this.subscription)} is as it was in ${short(snapshot)}.` : `${short(this.subscription)} stands at that time.`;
    }});
  }

  #confirm_dialog() {
    this.#on_submit(element('confirm'), {go: async () => {
      const outcome = await this.confirmed();
      element('confirm').querySelector('[value=go]').hidden = true;
      return outcome;
    }});
  }

  #confirm(verb, question, work) {
    const dialog = element('confirm'), go = dialog.querySelector('[value=go]');
    this.confirmed = work;
    set(dialog.querySelector('.question'), question);
    set(go, verb);
    go.hidden = false;
    this.#open(dialog, `${verb}?`);
  }
}
