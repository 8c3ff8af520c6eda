// Pictures of the page as it looks with some life in it, for the eye and for docs/images.
import {setTimeout as sleep} from 'node:timers/promises';

import {base64, start_server} from './support.mjs';

const seconds = 30;

/// A shop: orders that are worked on, pictures that are resized, one kind of order that always fails.
async function make_life(server) {
  for (const topic of ['orders', 'images', 'dead-orders']) await server.rest('PUT', `topics/${topic}`);
  const subscribe = (name, topic, settings = {}) =>
    server.rest('PUT', `subscriptions/${name}`, {topic: `projects/demo/topics/${topic}`, ...settings});
  await subscribe('order-worker', 'orders', {deadLetterPolicy: {deadLetterTopic: 'projects/demo/topics/dead-orders', maxDeliveryAttempts: 5}});
  await subscribe('order-audit', 'orders', {filter: 'attributes.kind = "gift"'});
  await subscribe('image-worker', 'images', {enableMessageOrdering: true});
  await subscribe('dead-order-reader', 'dead-orders');
  const publish = (topic, call, attributes = {}) => server.rest('POST', `topics/${topic}:publish`, {messages: [{data: base64(JSON.stringify(call)), attributes}]});
  const work = async (name, share) => {
    const {receivedMessages = []} = await server.rest('POST', `subscriptions/${name}:pull`, {maxMessages: share});
    const fails = received => Buffer.from(received.message.data, 'base64').includes('orders.refund');
    const settle = async (verb, messages, more = {}) => messages.length &&
      server.rest('POST', `subscriptions/${name}:${verb}`, {ackIds: messages.map(received => received.ackId), ...more});
    await settle('modifyAckDeadline', receivedMessages.filter(fails), {ackDeadlineSeconds: 0});
    await settle('acknowledge', receivedMessages.filter(received => !fails(received)));
  };
  let order = 1000;
  for (let step = 0; step < seconds * 4; ++step) {
    const busy = 2 + Math.round(2 * Math.sin(step / 9) + Math.random() * 2);
    for (let i = 0; i < busy; ++i) await publish('orders', {function: 'orders.ship', args: [++order, 'express'], kwargs: {gift: i % 3 === 0}}, i % 3 ? {} : {kind: 'gift'});
    if (step % 30 === 4) await publish('orders', {function: 'orders.refund', args: [order, -12.5]});
    if (step % 2) await publish('images', {function: 'images.resize', args: [`img/${order}.png`], kwargs: {width: 640}});
    await work('order-worker', busy + (step % 3));
    await work('image-worker', 1 + (step % 5 === 0));
    await sleep(250);
  }
}

export async function take_pictures(command, browser, path_of) {
  const server = await start_server(command);
  try {
    await take_pictures_of(server, browser, path_of);
  } finally {
    await server.stop();
  }
}

async function take_pictures_of(server, browser, path_of) {
  const take = async (name, options, prepare = async () => {}) => {
    const page = await (await browser.newContext(options)).newPage();
    await page.goto(server.url);
    return async () => {
      await prepare(page);
      await sleep(1200);
      await page.screenshot({path: path_of(name)});
    };
  };
  const open_message = async page => {
    await page.locator('#messages summary').filter({hasText: 'acknowledged'}).first().click();
    await page.locator('#messages-title').evaluate(title => title.scrollIntoView());
  };
  const desktop = {width: 1240, height: 880}, phone = {width: 390, height: 844};
  const shots = [
    await take('emulator-light.png', {colorScheme: 'light', viewport: desktop}),
    await take('emulator-dark.png', {colorScheme: 'dark', viewport: desktop}),
    await take('emulator-message.png', {colorScheme: 'light', viewport: desktop}, open_message),
    await take('emulator-phone.png', {colorScheme: 'dark', viewport: phone}),
    await take('emulator-phone-message.png', {colorScheme: 'light', viewport: phone}, open_message),
    await take('emulator-publish.png', {colorScheme: 'dark', viewport: desktop}, page => page.locator('#publish-button').click()),
    await take('emulator-pull.png', {colorScheme: 'light', viewport: desktop}, page => page.getByRole('button', {name: 'Pull order-worker'}).click()),
  ];
  await make_life(server);
  for (const shot of shots) await shot();
}
