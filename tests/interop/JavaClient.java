// The official Java client against the local server: the calls a program makes, by the client's own defaults.
//
// usage: PUBSUB_EMULATOR_HOST=host:port java -cp ... JavaClient.java

import com.google.api.core.ApiFuture;
import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.rpc.AlreadyExistsException;
import com.google.api.gax.rpc.FixedTransportChannelProvider;
import com.google.api.gax.rpc.NotFoundException;
import com.google.api.gax.rpc.TransportChannelProvider;
import com.google.cloud.pubsub.v1.AckReplyConsumer;
import com.google.cloud.pubsub.v1.AckResponse;
import com.google.cloud.pubsub.v1.MessageReceiver;
import com.google.cloud.pubsub.v1.MessageReceiverWithAckResponse;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.cloud.pubsub.v1.SchemaServiceClient;
import com.google.cloud.pubsub.v1.SchemaServiceSettings;
import com.google.cloud.pubsub.v1.Subscriber;
import com.google.cloud.pubsub.v1.SubscriptionAdminClient;
import com.google.cloud.pubsub.v1.SubscriptionAdminSettings;
import com.google.cloud.pubsub.v1.TopicAdminClient;
import com.google.cloud.pubsub.v1.TopicAdminSettings;
import com.google.protobuf.ByteString;
import com.google.pubsub.v1.CreateSnapshotRequest;
import com.google.pubsub.v1.DeadLetterPolicy;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.Schema;
import com.google.pubsub.v1.SeekRequest;
import com.google.pubsub.v1.Subscription;
import io.grpc.ManagedChannelBuilder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

public class JavaClient {
  interface Test {
    void run() throws Exception;
  }

  static final String PROJECT = "projects/interop";
  static final long PATIENCE_SECONDS = 60;

  static TransportChannelProvider channel;
  static TopicAdminClient topics;
  static SubscriptionAdminClient subscriptions;
  static int count = 0;
  static int failed = 0;

  static void check(boolean ok, String message) {
    if (!ok) throw new AssertionError(message);
  }

  static String name(String collection) {
    return PROJECT + "/" + collection + "/java-" + Long.toHexString(System.nanoTime()) + "-" + ++count;
  }

  static String makeTopic() {
    return topics.createTopic(name("topics")).getName();
  }

  static String makeSubscription(String topic, Subscription.Builder settings) {
    return subscriptions.createSubscription(settings.setName(name("subscriptions")).setTopic(topic).build()).getName();
  }

  static PubsubMessage.Builder message(String data) {
    return PubsubMessage.newBuilder().setData(ByteString.copyFromUtf8(data));
  }

  static List<String> publish(String topic, List<PubsubMessage> messages) throws Exception {
    Publisher publisher =
        Publisher.newBuilder(topic).setChannelProvider(channel).setCredentialsProvider(NoCredentialsProvider.create())
            .setEnableMessageOrdering(true).build();
    List<ApiFuture<String>> futures = new ArrayList<>();
    for (PubsubMessage message : messages) futures.add(publisher.publish(message));
    List<String> ids = new ArrayList<>();
    for (ApiFuture<String> future : futures) ids.add(future.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
    publisher.shutdown();
    return ids;
  }

  // Pulls with the streaming client until `wanted` messages have come.
  static List<PubsubMessage> receive(String subscription, int wanted, BiConsumer<PubsubMessage, AckReplyConsumer> act)
      throws Exception {
    List<PubsubMessage> got = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch done = new CountDownLatch(wanted);
    MessageReceiver receiver = (message, consumer) -> {
      got.add(message);
      act.accept(message, consumer);
      done.countDown();
    };
    Subscriber subscriber = Subscriber.newBuilder(subscription, receiver).setChannelProvider(channel)
        .setCredentialsProvider(NoCredentialsProvider.create()).build();
    subscriber.startAsync().awaitRunning();
    check(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS), got.size() + " of " + wanted + " messages came");
    subscriber.stopAsync().awaitTerminated(PATIENCE_SECONDS, TimeUnit.SECONDS);
    return got;
  }

  static void ack(PubsubMessage message, AckReplyConsumer consumer) {
    consumer.ack();
  }

  static void publishAndStreamingPull() throws Exception {
    String topic = makeTopic();
    String subscription = makeSubscription(topic, Subscription.newBuilder());
    List<PubsubMessage> messages = new ArrayList<>();
    for (int i = 0; i < 500; ++i) messages.add(message("" + i).putAttributes("origin", "java").build());
    List<String> ids = publish(topic, messages);
    for (PubsubMessage message : receive(subscription, 500, JavaClient::ack)) {
      check(ids.contains(message.getMessageId()), message.getMessageId() + " was not published");
      check(message.getAttributesOrThrow("origin").equals("java"), "the attributes are lost");
    }
  }

  static void ordering() throws Exception {
    String topic = makeTopic();
    String subscription = makeSubscription(topic, Subscription.newBuilder().setEnableMessageOrdering(true));
    List<PubsubMessage> messages = new ArrayList<>();
    for (int i = 0; i < 100; ++i) messages.add(message("" + i / 4).setOrderingKey("key-" + i % 4).build());
    publish(topic, messages);
    Map<String, Integer> next = Collections.synchronizedMap(new HashMap<>());
    AtomicInteger disorder = new AtomicInteger();
    receive(subscription, 100, (message, consumer) -> {
      int expected = next.merge(message.getOrderingKey(), 1, Integer::sum) - 1;
      if (!message.getData().toStringUtf8().equals("" + expected)) disorder.incrementAndGet();
      consumer.ack();
    });
    check(disorder.get() == 0, disorder + " messages came out of order");
  }

  static void exactlyOnce() throws Exception {
    String topic = makeTopic();
    String subscription = makeSubscription(topic, Subscription.newBuilder().setEnableExactlyOnceDelivery(true));
    publish(topic, List.of(message("once").build(), message("twice").build()));
    List<Future<AckResponse>> answers = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch done = new CountDownLatch(2);
    MessageReceiverWithAckResponse receiver = (message, consumer) -> {
      answers.add(consumer.ack());
      done.countDown();
    };
    Subscriber subscriber = Subscriber.newBuilder(subscription, receiver).setChannelProvider(channel)
        .setCredentialsProvider(NoCredentialsProvider.create()).build();
    subscriber.startAsync().awaitRunning();
    check(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS), answers.size() + " of 2 messages came");
    for (Future<AckResponse> answer : answers)
      check(answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS) == AckResponse.SUCCESSFUL, "an ack was not confirmed");
    subscriber.stopAsync().awaitTerminated(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  static void nackDeadLetterAndFilter() throws Exception {
    String topic = makeTopic();
    String dead = makeTopic();
    String graveyard = makeSubscription(dead, Subscription.newBuilder());
    String subscription = makeSubscription(topic, Subscription.newBuilder().setFilter("attributes.kind = \"poison\"")
        .setDeadLetterPolicy(DeadLetterPolicy.newBuilder().setDeadLetterTopic(dead).setMaxDeliveryAttempts(5)));
    publish(topic, List.of(message("ignored").putAttributes("kind", "food").build(),
        message("bad").putAttributes("kind", "poison").build()));
    for (PubsubMessage message : receive(subscription, 5, (m, consumer) -> consumer.nack()))
      check(message.getData().toStringUtf8().equals("bad"), "the filter let through " + message);
    PubsubMessage letter = receive(graveyard, 1, JavaClient::ack).get(0);
    check(letter.getAttributesOrThrow("CloudPubSubDeadLetterSourceDeliveryCount").equals("5"), letter.toString());
  }

  static void snapshotsAndSeek() throws Exception {
    String topic = makeTopic();
    String subscription = makeSubscription(topic, Subscription.newBuilder().setRetainAckedMessages(true));
    String snapshot = subscriptions.createSnapshot(
        CreateSnapshotRequest.newBuilder().setName(name("snapshots")).setSubscription(subscription).build()).getName();
    publish(topic, List.of(message("again").build()));
    receive(subscription, 1, JavaClient::ack);
    subscriptions.seek(SeekRequest.newBuilder().setSubscription(subscription).setSnapshot(snapshot).build());
    check(receive(subscription, 1, JavaClient::ack).get(0).getData().toStringUtf8().equals("again"), "another came");
    subscriptions.deleteSnapshot(snapshot);
  }

  static void resourcesAndTheirErrors() throws Exception {
    String topic = makeTopic();
    try {
      topics.createTopic(topic);
      check(false, "created twice");
    } catch (AlreadyExistsException expected) {
    }
    try {
      topics.getTopic(PROJECT + "/topics/nowhere");
      check(false, "found nowhere");
    } catch (NotFoundException expected) {
    }
    String subscription = makeSubscription(topic, Subscription.newBuilder());
    boolean found = false;
    for (String listed : topics.listTopicSubscriptions(topic).iterateAll()) found |= listed.equals(subscription);
    check(found, "the subscription is not listed");
    topics.deleteTopic(topic);
    check(subscriptions.getSubscription(subscription).getTopic().equals("_deleted-topic_"), "its topic lives on");
  }

  static void schemas() throws Exception {
    SchemaServiceSettings settings = SchemaServiceSettings.newBuilder().setTransportChannelProvider(channel)
        .setCredentialsProvider(NoCredentialsProvider.create()).build();
    try (SchemaServiceClient client = SchemaServiceClient.create(settings)) {
      Schema schema = Schema.newBuilder().setType(Schema.Type.AVRO)
          .setDefinition("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}").build();
      Schema made = client.createSchema(PROJECT, schema, "java-" + Long.toHexString(System.nanoTime()));
      check(client.getSchema(made.getName()).getDefinition().contains("\"x\""), "the definition is lost");
      client.deleteSchema(made.getName());
    }
  }

  static void run(String name, Test test) {
    try {
      test.run();
      System.out.println("ok      " + name);
    } catch (Throwable error) {
      ++failed;
      System.out.println("FAILED  " + name + ": " + error);
    }
  }

  public static void main(String[] args) throws Exception {
    // The Java client alone does not look at the variable itself.
    channel = FixedTransportChannelProvider.create(GrpcTransportChannel.create(
        ManagedChannelBuilder.forTarget(System.getenv("PUBSUB_EMULATOR_HOST")).usePlaintext().build()));
    topics = TopicAdminClient.create(TopicAdminSettings.newBuilder().setTransportChannelProvider(channel)
        .setCredentialsProvider(NoCredentialsProvider.create()).build());
    subscriptions = SubscriptionAdminClient.create(SubscriptionAdminSettings.newBuilder()
        .setTransportChannelProvider(channel).setCredentialsProvider(NoCredentialsProvider.create()).build());
    run("publish and streaming pull", JavaClient::publishAndStreamingPull);
    run("ordering", JavaClient::ordering);
    run("exactly once", JavaClient::exactlyOnce);
    run("nack, dead letter and filter", JavaClient::nackDeadLetterAndFilter);
    run("snapshots and seek", JavaClient::snapshotsAndSeek);
    run("resources and their errors", JavaClient::resourcesAndTheirErrors);
    run("schemas", JavaClient::schemas);
    System.exit(failed == 0 ? 0 : 1);
  }
}
