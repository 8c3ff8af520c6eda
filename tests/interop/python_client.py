"""The official Python client against the local server: the calls a program makes, by the client's own defaults.

usage: PUBSUB_EMULATOR_HOST=host:port python_client.py
"""

import concurrent.futures
import threading
import time
import uuid

from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2
from google.pubsub_v1 import types

PATIENCE = 60
publisher = pubsub_v1.PublisherClient(publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True))
subscriber = pubsub_v1.SubscriberClient()
project = "projects/interop"


def names():
    unique = uuid.uuid4().hex[:8]
    return f"{project}/topics/topic-{unique}", f"{project}/subscriptions/sub-{unique}"


def expect(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error:
        return
    raise AssertionError(f"expected {error.__name__}")


def receive(subscription, count, act=lambda message: message.ack(), **options):
    """Pulls with the streaming client until `count` messages have come."""
    messages, done, lock = [], threading.Event(), threading.Lock()

    def callback(message):
        act(message)
        with lock:
            messages.append(message)
            if len(messages) >= count:
                done.set()

    pulling = subscriber.subscribe(subscription, callback=callback, **options)
    assert done.wait(PATIENCE), f"{len(messages)} of {count} messages came"
    pulling.cancel()
    pulling.result(timeout=PATIENCE)
    return messages


def test_publish_and_streaming_pull():
    topic, subscription = names()
    publisher.create_topic(name=topic)
    subscriber.create_subscription(name=subscription, topic=topic)
    futures = [publisher.publish(topic, f"message {i}".encode(), origin="python") for i in range(500)]
    concurrent.futures.wait(futures, PATIENCE)
    ids = {future.result() for future in futures}
    messages = receive(subscription, 500)
    assert {message.message_id for message in messages} == ids
    assert messages[0].attributes["origin"] == "python"
    response = subscriber.pull(subscription=subscription, max_messages=10, return_immediately=True)
    assert not response.received_messages


def test_ordering():
    topic, subscription = names()
    publisher.create_topic(name=topic)
    subscriber.create_subscription(request={"name": subscription, "topic": topic, "enable_message_ordering": True})
    for i in range(100):
        publisher.publish(topic, str(i).encode(), ordering_key=f"key-{i % 3}")
    messages = receive(subscription, 100)
    for key in range(3):
        got = [int(m.data) for m in messages if m.ordering_key == f"key-{key}"]
        assert got == sorted(got) and len(got) in (33, 34), got


def test_exactly_once():
    topic, subscription = names()
    publisher.create_topic(name=topic)
    subscriber.create_subscription(
        request={"name": subscription, "topic": topic, "enable_exactly_once_delivery": True})
    for i in range(20):
        publisher.publish(topic, str(i).encode()).result(PATIENCE)
    confirmations = []
    receive(subscription, 20, lambda message: confirmations.append(message.ack_with_response()))
    # The stream is closed by now; what it could not confirm, the unary path does.
    for confirmation in confirmations:
        assert confirmation.result(PATIENCE).name == "SUCCESS"


def test_dead_letters_and_filter():
    topic, subscription = names()
    dead, graveyard = names()
    publisher.create_topic(name=topic)
    publisher.create_topic(name=dead)
    subscriber.create_subscription(name=graveyard, topic=dead)
    subscriber.create_subscription(request={
        "name": subscription, "topic": topic, "filter": 'attributes.kind = "poison"',
        "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": 5}})
    publisher.publish(topic, b"ignored", kind="food").result(PATIENCE)
    publisher.publish(topic, b"bad", kind="poison").result(PATIENCE)
    attempts = [m.delivery_attempt for m in receive(subscription, 5, lambda message: message.nack())]
    assert attempts == [1, 2, 3, 4, 5], attempts
    message = receive(graveyard, 1)[0]
    assert message.data == b"bad"
    assert message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"


def test_resources():
    topic, subscription = names()
    publisher.create_topic(name=topic)
    expect(exceptions.AlreadyExists, publisher.create_topic, name=topic)
    expect(exceptions.NotFound, subscriber.create_subscription, name=subscription, topic=topic + "x")
    subscriber.create_subscription(name=subscription, topic=topic, ack_deadline_seconds=0)
    assert subscription in publisher.list_topic_subscriptions(topic=topic)
    assert topic in [found.name for found in publisher.list_topics(project=project)]
    updated = subscriber.update_subscription(request={
        "subscription": {"name": subscription, "topic": topic, "ack_deadline_seconds": 60, "labels": {"a": "b"}},
        "update_mask": field_mask_pb2.FieldMask(paths=["ack_deadline_seconds", "labels"])})
    assert updated.ack_deadline_seconds == 60 and updated.labels["a"] == "b"
    publisher.update_topic(request={
        "topic": {"name": topic, "message_retention_duration": duration_pb2.Duration(seconds=600)},
        "update_mask": field_mask_pb2.FieldMask(paths=["message_retention_duration"])})
    assert publisher.get_topic(topic=topic).message_retention_duration.seconds == 600
    publisher.detach_subscription(request={"subscription": subscription})
    expect(exceptions.FailedPrecondition, subscriber.pull, subscription=subscription, max_messages=1)
    subscriber.delete_subscription(subscription=subscription)
    publisher.delete_topic(topic=topic)
    expect(exceptions.NotFound, publisher.get_topic, topic=topic)


def test_snapshots_and_seek():
    topic, subscription = names()
    publisher.create_topic(name=topic)
    subscriber.create_subscription(request={"name": subscription, "topic": topic, "retain_acked_messages": True})
    snapshot = subscription.replace("/subscriptions/sub", "/snapshots/snap")
    subscriber.create_snapshot(name=snapshot, subscription=subscription)
    publisher.publish(topic, b"again").result(PATIENCE)
    receive(subscription, 1)
    subscriber.seek(request={"subscription": subscription, "snapshot": snapshot})
    assert receive(subscription, 1)[0].data == b"again"
    subscriber.seek(request={"subscription": subscription, "time": timestamp_pb2.Timestamp(seconds=int(time.time()) - 3600)})
    assert receive(subscription, 1)[0].data == b"again"
    subscriber.delete_snapshot(snapshot=snapshot)


def test_schemas():
    schemas = pubsub_v1.SchemaServiceClient()
    topic, _ = names()
    definition = '{"type": "record", "name": "Point", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int"}]}'
    schema = schemas.create_schema(
        parent=project, schema_id="schema-" + uuid.uuid4().hex[:8],
        schema=types.Schema(type_=types.Schema.Type.AVRO, definition=definition))
    publisher.create_topic(request={
        "name": topic, "schema_settings": {"schema": schema.name, "encoding": types.Encoding.JSON}})
    publisher.publish(topic, b'{"x": 1, "y": 2}').result(PATIENCE)
    expect(exceptions.InvalidArgument, publisher.publish(topic, b'{"x": 1}').result, PATIENCE)
    schemas.delete_schema(name=schema.name)


def test_iam():
    topic, _ = names()
    publisher.create_topic(name=topic)
    policy = publisher.get_iam_policy(request={"resource": topic})
    policy.bindings.add(role="roles/pubsub.publisher", members=["user:someone@example.com"])
    assert publisher.set_iam_policy(request={"resource": topic, "policy": policy}).bindings[0].members
    granted = publisher.test_iam_permissions(request={"resource": topic, "permissions": ["pubsub.topics.publish"]})
    assert list(granted.permissions) == ["pubsub.topics.publish"]


def main():
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        start = time.monotonic()
        try:
            test()
            print(f"ok      {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Exception as error:  # each test counts, whatever another did
            failed += 1
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
