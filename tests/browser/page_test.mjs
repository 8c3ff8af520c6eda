// The local server's page, used as a person would: with eyes, keyboard, a phone, and a hostile neighbour.
// usage: CFD_NODE_MODULES=DIR CFD_CHROMIUM=FILE page_test.mjs CFD_COMMAND [SCREENSHOT_DIR]
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {resolve} from 'node:path';
import {after, before, test} from 'node:test';

import {accessibility_problems, base64, patience, start_browser, start_server} from './support.mjs';

const [command, screenshots] = process.argv.slice(2);
let server, browser, count = 0;

before(async () => {
  server = await start_server(command);
  browser = await start_browser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/// A topic and a subscription of its own for each test.
async function make_names(settings = {}) {
  const id = ++count, topic = `topic-${id}`, subscription = `reader-${id}`;
  await server.rest('PUT', `topics/${topic}`);
  await server.rest('PUT', `subscriptions/${subscription}`, {topic: `projects/demo/topics/${topic}`, ...settings});
  return {topic, subscription};
}
const publish = (topic, ...messages) => server.rest('POST', `topics/${topic}:publish`, {messages});
const pull = async subscription => (await server.rest('POST', `subscriptions/${subscription}:pull`, {maxMessages: 100})).receivedMessages ?? [];
const nack = (subscription, ackIds) => server.rest('POST', `subscriptions/${subscription}:modifyAckDeadline`, {ackIds, ackDeadlineSeconds: 0});

async function open(options = {}, url = server.url) {
  const context = await browser.newContext({colorScheme: 'light', ...options});
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', error => problems.push(String(error)));
  page.on('console', message => message.type() === 'error' && problems.push(message.text()));
  await page.goto(url);
  return {page, context, problems};
}
const row = (page, name) => page.locator('tbody tr').filter({has: page.locator(`th[title$="/${name}"]`)});
const cell = (page, name, label) => row(page, name).locator(`td[data-label="${label}"]`);
async function shows(locator, text) {
  await locator.filter({hasText: text}).first().waitFor();
}

test('shows figures as they change, without a reload', async () => {
  const {topic, subscription} = await make_names();
  const {page, context, problems} = await open();
  await shows(cell(page, subscription, 'Backlog'), /^0$/);
  await publish(topic, {data: base64('one')}, {data: base64('two')});
  await shows(cell(page, topic, 'Published'), /^2$/);
  await shows(cell(page, subscription, 'Backlog'), /^2$/);
  await pull(subscription);
  await shows(cell(page, subscription, 'In flight'), /^2$/);
  await shows(page.getByRole('status').first(), 'Live');
  assert.deepEqual(problems, []);
  await context.close();
});

test('shows calls as calls, and what happened to them', async () => {
  const {topic, subscription} = await make_names();
  const {page, context} = await open();
  // [[1, 2], {}] in MessagePack, as this project's callers publish it.
  await publish(topic, {data: base64([0x92, 0x92, 1, 2, 0x80]), attributes: {function: 'functions.my_func', cfd: '1'}});
  await publish(topic, {data: base64('{"function": "functions.echo", "args": ["a"], "kwargs": {"x": 7}}')});
  const message = page.locator('#messages .message').filter({hasText: 'functions.my_func(1, 2)'});
  await shows(message, 'waiting');
  await shows(page.locator('#messages .message'), 'functions.echo("a", x=7)');
  await nack(subscription, (await pull(subscription)).map(received => received.ackId));
  await shows(message, 'nacked');
  const ackIds = (await pull(subscription)).map(received => received.ackId);
  await server.rest('POST', `subscriptions/${subscription}:acknowledge`, {ackIds});
  await shows(message, 'acknowledged');
  await message.locator('summary').click();
  const life = message.locator('.life li');
  for (const [index, text] of [`published to ${topic}`, 'delivered to', 'nacked in', 'delivered to', 'acknowledged in'].entries())
    await shows(life.nth(index), text);
  await context.close();
});

test('says how an endpoint answered what was pushed to it', async () => {
  const endpoint = createServer((request, response) => response.writeHead(418).end());
  await new Promise(done => endpoint.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${endpoint.address().port}/`;
  const dead = await make_names();
  const deadLetterPolicy = {deadLetterTopic: `projects/demo/topics/${dead.topic}`, maxDeliveryAttempts: 5};
  const {topic} = await make_names({pushConfig: {pushEndpoint: url}, deadLetterPolicy});
  const {page, context} = await open();
  await publish(topic, {data: base64(`pushed to ${topic}`)});
  const message = page.locator('#messages .message').filter({hasText: `pushed to ${topic}`}).filter({hasText: 'nacked'});
  await message.first().locator('summary').click();
  await shows(message.first().locator('.life li'), 'answered 418');
  const letter = page.locator('#dead-letters .message').filter({hasText: `pushed to ${topic}`});
  await shows(letter, 'pushed 5 times, at last answered 418');
  endpoint.closeAllConnections();
  endpoint.close();
  await context.close();
});

test('publishes with the keyboard alone', async () => {
  const {topic, subscription} = await make_names();
  const {page, context} = await open();
  await row(page, topic).waitFor();
  await row(page, topic).getByRole('button', {name: 'Publish'}).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('typed');
  await page.keyboard.press('Tab');
  await page.keyboard.type('kind=test');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await shows(page.locator('#publish .outcome'), 'Published to');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#publish').isVisible(), false);
  const [{message}] = await pull(subscription);
  assert.equal(Buffer.from(message.data, 'base64').toString(), 'typed');
  assert.deepEqual(message.attributes, {kind: 'test'});
  await page.keyboard.press('/');
  await page.keyboard.type('no such name');
  await row(page, topic).waitFor({state: 'detached'});
  await context.close();
});

test('pulls, acks and nacks', async () => {
  const {topic, subscription} = await make_names();
  await publish(topic, {data: base64('to ack')}, {data: base64('to nack')});
  const {page, context} = await open();
  await row(page, subscription).getByRole('button', {name: 'Pull'}).click();
  const pulled = page.locator('#pull .message');
  await shows(pulled, 'to ack');
  await pulled.filter({hasText: 'to ack'}).locator('summary').click();
  await pulled.filter({hasText: 'to ack'}).getByRole('button', {name: 'Ack', exact: true}).click();
  await shows(page.locator('#pull .outcome'), '1 acked.');
  await page.locator('#pull').getByRole('button', {name: 'Nack all'}).click();
  await shows(page.locator('#pull .outcome'), '1 nacked.');
  await page.locator('#pull').getByRole('button', {name: 'Close'}).click();
  await shows(cell(page, subscription, 'Backlog'), /^1$/);
  await context.close();
});

/// A message that failed five times.
async function make_dead_letter() {
  const dead = await make_names();
  const {topic, subscription} = await make_names({deadLetterPolicy: {deadLetterTopic: `projects/demo/topics/${dead.topic}`, maxDeliveryAttempts: 5}});
  await publish(topic, {data: base64(`poison ${topic}`), attributes: {kind: 'bad'}});
  for (let attempt = 0; attempt < 5; ++attempt) await nack(subscription, (await pull(subscription)).map(received => received.ackId));
  return {dead, topic, subscription};
}

test('says why a message is a dead letter, and replays it', async () => {
  const {topic, subscription} = await make_dead_letter();
  const {page, context} = await open();
  const letter = page.locator('#dead-letters .message').filter({hasText: `poison ${topic}`});
  await shows(letter, 'nacked 5 times');
  await letter.locator('summary').click();
  await letter.getByRole('button', {name: `Replay to ${topic}`}).click();
  await page.locator('#confirm').getByRole('button', {name: 'Replay'}).click();
  await shows(page.locator('#confirm .outcome'), 'Published as');
  const [{message}] = await pull(subscription);
  assert.equal(Buffer.from(message.data, 'base64').toString(), `poison ${topic}`);
  assert.deepEqual(message.attributes, {kind: 'bad'});
  await context.close();
});

test('moves dead letters back to where they came from', async () => {
  const {dead, topic, subscription} = await make_dead_letter();
  const {page, context} = await open();
  await row(page, dead.subscription).getByRole('button', {name: 'Replay'}).click();
  await page.locator('#confirm').getByRole('button', {name: 'Replay'}).click();
  await shows(page.locator('#confirm .outcome'), '1 replayed.');
  await shows(cell(page, dead.subscription, 'Backlog'), /^0$/);
  assert.equal((await pull(subscription)).length, 1);
  assert.equal(await row(page, subscription).getByRole('button', {name: 'Replay'}).count(), 0);
  await context.close();
});

test('purges and seeks', async () => {
  const {topic, subscription} = await make_names({retainAckedMessages: true});
  await publish(topic, {data: base64('kept')});
  const {page, context} = await open();
  await row(page, subscription).getByRole('button', {name: 'Purge'}).click();
  await shows(page.locator('#confirm .question'), `${subscription}, 1 messages`);
  await page.locator('#confirm').getByRole('button', {name: 'Purge'}).click();
  await shows(page.locator('#confirm .outcome'), 'is empty');
  await page.keyboard.press('Escape');
  await shows(cell(page, subscription, 'Backlog'), /^0$/);
  await row(page, subscription).getByRole('button', {name: 'Seek'}).click();
  await page.getByRole('button', {name: '1 hour ago'}).click();
  await page.locator('#seek').getByRole('button', {name: 'Seek', exact: true}).click();
  await shows(page.locator('#seek .outcome'), 'stands at that time');
  await page.keyboard.press('Escape');
  await shows(cell(page, subscription, 'Backlog'), /^1$/);
  await context.close();
});

test('takes hostile names and data as text', async () => {
  const attack = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
  const {topic, subscription} = await make_names({filter: `NOT attributes.key = ${JSON.stringify(attack)}`});
  await publish(topic, {data: base64(attack), attributes: {[attack]: attack}});
  await publish(topic, {data: base64(attack), orderingKey: attack});
  await publish(topic, {data: base64(JSON.stringify({function: 'f', args: [attack], kwargs: {[attack]: attack}}))});
  const {page, context, problems} = await open();
  await shows(page.locator('#messages .message'), attack);
  await shows(row(page, subscription), attack.replaceAll('"', '\\"'));
  for (const summary of await page.locator('#messages summary').all()) await summary.click();
  await row(page, subscription).getByRole('button', {name: 'Pull'}).click();
  await shows(page.locator('#pull .message'), attack);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator('main img, main script, dialog img, dialog script').count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test('lets no other site use the server', async () => {
  const {topic} = await make_names();
  const target = new URL(`/v1/projects/demo/topics/${topic}:publish`, server.url);
  const state = new URL('/state', server.url);
  const attacks = `(async () => {
    const body = JSON.stringify({messages: [{data: 'YQ=='}]});
    const outcomes = [];
    for (const options of [{mode: 'no-cors', method: 'POST', body}, {mode: 'no-cors', method: 'POST', body: new Blob([body])},
                           {method: 'POST', body, headers: {'Content-Type': 'application/json'}}])
      outcomes.push(await fetch('${target}', options).then(response => response.type + response.status, () => 'refused'));
    outcomes.push(await fetch('${state}').then(response => response.text(), () => 'refused'));
    return outcomes;
  })()`;
  const neighbour = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end('<title>evil</title>'));
  await new Promise(done => neighbour.listen(0, '127.0.0.1', done));
  const {page, context} = await open({}, `http://127.0.0.1:${neighbour.address().port}/`);
  assert.deepEqual((await page.evaluate(attacks)).slice(2), ['refused', 'refused']);
  await context.close();
  neighbour.close();
  // A name of the attacker's that now leads to this machine: for the browser, all is one site.
  const rebound = await start_browser('MAP evil.example 127.0.0.1');
  const evil = await (await rebound.newContext()).newPage();
  assert.equal((await evil.goto(`http://evil.example:${new URL(server.url).port}/`)).status(), 403);
  const outcomes = await evil.evaluate(attacks.replaceAll(new URL(server.url).host, `evil.example:${new URL(server.url).port}`));
  assert.match(outcomes.at(-1), /another site's name/);
  await rebound.close();
  const topics = await (await fetch(state)).json();
  assert.equal(topics.topics.find(entry => entry.name.endsWith(`/${topic}`)).published, 0);
});

for (const colorScheme of ['light', 'dark']) {
  test(`is accessible in ${colorScheme} colours, at every width`, async () => {
    await make_dead_letter();
    for (const viewport of [{width: 1280, height: 900}, {width: 360, height: 740}]) {
      const {page, context} = await open({colorScheme, viewport});
      await page.locator('#dead-letters summary').first().click();
      await page.locator('#messages summary').first().click();
      assert.deepEqual(await accessibility_problems(page), []);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide at ${viewport.width}`);
      // The dialogs once in each colour scheme and once at each width.
      for (const verb of (colorScheme === 'light') !== (viewport.width > 500) ? [] : ['Publish', 'Pull', 'Seek', 'Purge']) {
        await page.locator('tbody').getByRole('button', {name: verb}).first().click();
        assert.deepEqual(await accessibility_problems(page, 'dialog[open]'), [], `the dialog of ${verb}`);
        await page.keyboard.press('Escape');
      }
      await context.close();
    }
  });
}

test('says so when the server is gone, and comes back', async () => {
  const first = await start_server(command);
  const {page, context} = await open({}, first.url);
  await shows(page.locator('#status'), 'Live');
  await first.stop();
  await shows(page.locator('#status'), 'does not answer');
  const second = await start_server(command, new URL(first.url).port);
  try {
    await shows(page.locator('#status'), 'Live');
  } finally {
    await second.stop();
  }
  await context.close();
});

test('is looked at', {skip: !screenshots}, async () => {
  const {take_pictures} = await import('./pictures.mjs');
  await take_pictures(command, browser, file => resolve(screenshots, file));
});
