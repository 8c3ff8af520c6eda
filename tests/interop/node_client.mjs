// The official Node client against the local server, by the client's own defaults.
// usage: PUBSUB_EMULATOR_HOST=host:port node node_client.mjs   (with @google-cloud/pubsub in NODE_PATH's node_modules)
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {randomUUID} from 'node:crypto';

const require = createRequire(process.env.CFD_NODE_MODULES ? process.env.CFD_NODE_MODULES + '/' : import.meta.url);
const {PubSub, Encodings, SchemaTypes} = require('@google-cloud/pubsub');
const pubsub = new PubSub({projectId: 'interop'});
const patience = 60_000;

const unique = kind => `${kind}-${randomUUID().slice(0, 8)}`;

function receive(subscription, count, act = message => message.ack()) {
  return new Promise((resolve, reject) => {
    const messages = [];
    const timer = setTimeout(() => reject(new Error(`${messages.length} of ${count} messages came`)), patience);
    subscription.on('error', reject);
    subscription.on('message', async message => {
      messages.push(message);
      act(message);
      if (messages.length !== count) return;
      clearTimeout(timer);
      await subscription.close();
      resolve(messages);
    });
  });
}

const tests = {
  async 'publishes and receives'() {
    const [topic] = await pubsub.createTopic(unique('topic'));
    const [subscription] = await topic.createSubscription(unique('sub'));
    const ids = await Promise.all(Array.from({length: 300}, (_, i) =>
      topic.publishMessage({data: Buffer.from(String(i)), attributes: {origin: 'node'}})));
    const messages = await receive(subscription, 300);
    assert.deepEqual(messages.map(m => m.id).sort(), ids.sort());
    assert.equal(messages[0].attributes.origin, 'node');
  },
  async 'keeps order'() {
    const [topic] = await pubsub.createTopic(unique('topic'));
    topic.setPublishOptions({messageOrdering: true});
    const [subscription] = await topic.createSubscription(unique('sub'), {enableMessageOrdering: true});
    for (let i = 0; i < 50; ++i) topic.publishMessage({data: Buffer.from(String(i)), orderingKey: 'key'});
    const messages = await receive(subscription, 50);
    assert.deepEqual(messages.map(m => Number(m.data)), Array.from({length: 50}, (_, i) => i));
  },
  async 'acknowledges exactly once'() {
    const [topic] = await pubsub.createTopic(unique('topic'));
    const [subscription] = await topic.createSubscription(unique('sub'), {enableExactlyOnceDelivery: true});
    await topic.publishMessage({data: Buffer.from('once')});
    const answers = [];
    await receive(subscription, 1, message => answers.push(message.ackWithResponse()));
    for (const answer of await Promise.all(answers)) assert.equal(answer, 'SUCCESS');
  },
  async 'counts delivery attempts'() {
    const [dead] = await pubsub.createTopic(unique('dead'));
    const [topic] = await pubsub.createTopic(unique('topic'));
    const [graveyard] = await dead.createSubscription(unique('graveyard'));
    const [subscription] = await topic.createSubscription(unique('sub'), {
      deadLetterPolicy: {deadLetterTopic: dead.name, maxDeliveryAttempts: 5}});
    await topic.publishMessage({data: Buffer.from('poison')});
    const messages = await receive(subscription, 5, message => message.nack());
    assert.deepEqual(messages.map(m => m.deliveryAttempt), [1, 2, 3, 4, 5]);
    const [letter] = await receive(graveyard, 1);
    assert.equal(letter.attributes.CloudPubSubDeadLetterSourceDeliveryCount, '5');
  },
  async 'manages resources'() {
    const [topic] = await pubsub.createTopic(unique('topic'));
    await assert.rejects(pubsub.createTopic(topic.name), {code: 6});
    const [subscription] = await topic.createSubscription(unique('sub'), {ackDeadlineSeconds: 0});
    await subscription.setMetadata({ackDeadlineSeconds: 30});
    assert.equal((await subscription.getMetadata())[0].ackDeadlineSeconds, 30);
    await topic.setMetadata({labels: {a: 'b'}});
    assert.equal((await topic.getMetadata())[0].labels.a, 'b');
    await subscription.modifyPushConfig({pushEndpoint: 'http://localhost:1/'});
    const [snapshot] = await (await topic.createSubscription(unique('sub')))[0].createSnapshot(unique('snap'));
    await snapshot.delete();
    assert.deepEqual((await topic.iam.testPermissions(['pubsub.topics.publish']))[0], {'pubsub.topics.publish': true});
    await subscription.delete();
    await topic.delete();
    assert.deepEqual(await topic.exists(), [false]);
  },
  async 'checks schemas'() {
    const schema = await pubsub.createSchema(unique('schema'), SchemaTypes.ProtocolBuffer,
      'syntax = "proto3"; message Point { int32 x = 1; }');
    const {name} = await schema.get('FULL');
    const [topic] = await pubsub.createTopic({
      name: `projects/interop/topics/${unique('topic')}`, schemaSettings: {schema: name, encoding: Encodings.Json}});
    await topic.publishMessage({data: Buffer.from('{"x": 1}')});
    await assert.rejects(topic.publishMessage({data: Buffer.from('{"z": 1}')}), {code: 3});
    await schema.delete();
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  const start = Date.now();
  try {
    await test();
    console.log(`ok      ${name} (${(Date.now() - start) / 1000} s)`);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${name}: ${error.stack}`);
  }
}
process.exit(failed ? 1 : 0);
