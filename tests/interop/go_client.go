// The official Go client against the local server: the calls a program makes, by the client's own defaults.
//
// usage: PUBSUB_EMULATOR_HOST=host:port go_client
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2"
	apiv1 "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	project  = "projects/interop"
	patience = 60 * time.Second
)

var (
	client *pubsub.Client
	count  int
	now    = time.Now().UnixNano()
)

// A failed check ends its test; main goes on with the next.
type failure string

func check(ok bool, format string, args ...any) {
	if !ok {
		panic(failure(fmt.Sprintf(format, args...)))
	}
}

func must[T any](value T, err error) T {
	check(err == nil, "%v", err)
	return value
}

func expect(code codes.Code, err error) {
	check(status.Code(err) == code, "expected %v, got %v", code, err)
}

func name(collection, prefix string) string {
	count++
	return fmt.Sprintf("%s/%s/%s-%x-%d", project, collection, prefix, now, count)
}

func makeTopic(ctx context.Context) string {
	return must(client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: name("topics", "topic")})).Name
}

func makeSubscription(ctx context.Context, topic string, settings *pubsubpb.Subscription) string {
	settings.Name, settings.Topic = name("subscriptions", "sub"), topic
	return must(client.SubscriptionAdminClient.CreateSubscription(ctx, settings)).Name
}

func publish(ctx context.Context, topic string, messages ...*pubsub.Message) []string {
	publisher := client.Publisher(topic)
	publisher.EnableMessageOrdering = true
	defer publisher.Stop()
	var results []*pubsub.PublishResult
	for _, message := range messages {
		results = append(results, publisher.Publish(ctx, message))
	}
	var ids []string
	for _, result := range results {
		ids = append(ids, must(result.Get(ctx)))
	}
	return ids
}

// Pulls with the streaming client until `wanted` messages have come.
func receive(ctx context.Context, subscription string, wanted int, act func(*pubsub.Message)) []*pubsub.Message {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	var mutex sync.Mutex
	var got []*pubsub.Message
	err := client.Subscriber(subscription).Receive(ctx, func(_ context.Context, message *pubsub.Message) {
		act(message)
		mutex.Lock()
		defer mutex.Unlock()
		if got = append(got, message); len(got) == wanted {
			stop()
		}
	})
	check(err == nil && len(got) >= wanted, "%d of %d messages came: %v", len(got), wanted, err)
	return got
}

func ack(message *pubsub.Message) { message.Ack() }

func testPublishAndStreamingPull(ctx context.Context) {
	topic := makeTopic(ctx)
	subscription := makeSubscription(ctx, topic, &pubsubpb.Subscription{})
	var messages []*pubsub.Message
	for i := range 500 {
		messages = append(messages, &pubsub.Message{Data: fmt.Append(nil, i), Attributes: map[string]string{"origin": "go"}})
	}
	messages = append(messages, &pubsub.Message{Data: bytes.Repeat([]byte("x"), 9_000_000)})
	ids := map[string]bool{}
	for _, id := range publish(ctx, topic, messages...) {
		ids[id] = true
	}
	for _, message := range receive(ctx, subscription, len(messages), ack) {
		check(ids[message.ID], "%s was not published", message.ID)
		check(len(message.Data) > 1000 || message.Attributes["origin"] == "go", "the attributes of %s are lost", message.ID)
	}
}

func testOrdering(ctx context.Context) {
	topic := makeTopic(ctx)
	subscription := makeSubscription(ctx, topic, &pubsubpb.Subscription{EnableMessageOrdering: true})
	var messages []*pubsub.Message
	for i := range 100 {
		messages = append(messages, &pubsub.Message{Data: fmt.Append(nil, i/4), OrderingKey: fmt.Sprint("key-", i%4)})
	}
	publish(ctx, topic, messages...)
	next := map[string]int{}
	var mutex sync.Mutex
	receive(ctx, subscription, 100, func(message *pubsub.Message) {
		mutex.Lock()
		defer mutex.Unlock()
		check(string(message.Data) == fmt.Sprint(next[message.OrderingKey]), "%s came out of order", message.Data)
		next[message.OrderingKey]++
		message.Ack()
	})
}

func testNackDeadLetterAndFilter(ctx context.Context) {
	topic, dead := makeTopic(ctx), makeTopic(ctx)
	graveyard := makeSubscription(ctx, dead, &pubsubpb.Subscription{})
	subscription := makeSubscription(ctx, topic, &pubsubpb.Subscription{
		Filter:           `attributes.kind = "poison"`,
		DeadLetterPolicy: &pubsubpb.DeadLetterPolicy{DeadLetterTopic: dead, MaxDeliveryAttempts: 5},
	})
	publish(ctx, topic, &pubsub.Message{Data: []byte("ignored"), Attributes: map[string]string{"kind": "food"}},
		&pubsub.Message{Data: []byte("bad"), Attributes: map[string]string{"kind": "poison"}})
	for i, message := range receive(ctx, subscription, 5, func(message *pubsub.Message) { message.Nack() }) {
		check(string(message.Data) == "bad" && *message.DeliveryAttempt == i+1, "%s, attempt %d", message.Data, *message.DeliveryAttempt)
	}
	letter := receive(ctx, graveyard, 1, ack)[0]
	check(letter.Attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5", "%v", letter.Attributes)
}

func testExactlyOnce(ctx context.Context) {
	topic := makeTopic(ctx)
	subscription := makeSubscription(ctx, topic, &pubsubpb.Subscription{EnableExactlyOnceDelivery: true})
	publish(ctx, topic, &pubsub.Message{Data: []byte("once")}, &pubsub.Message{Data: []byte("twice")})
	var mutex sync.Mutex
	var answers []*pubsub.AckResult
	receive(ctx, subscription, 2, func(message *pubsub.Message) {
		mutex.Lock()
		defer mutex.Unlock()
		answers = append(answers, message.AckWithResult())
	})
	for _, answer := range answers {
		got, err := answer.Get(ctx)
		check(err == nil && got == pubsub.AcknowledgeStatusSuccess, "%v %v", got, err)
	}
}

func testSnapshotsAndSeek(ctx context.Context) {
	topic := makeTopic(ctx)
	admin := client.SubscriptionAdminClient
	subscription := makeSubscription(ctx, topic, &pubsubpb.Subscription{RetainAckedMessages: true})
	snapshot := must(admin.CreateSnapshot(ctx, &pubsubpb.CreateSnapshotRequest{Name: name("snapshots", "snap"), Subscription: subscription}))
	publish(ctx, topic, &pubsub.Message{Data: []byte("again")})
	receive(ctx, subscription, 1, ack)
	must(admin.Seek(ctx, &pubsubpb.SeekRequest{Subscription: subscription, Target: &pubsubpb.SeekRequest_Snapshot{Snapshot: snapshot.Name}}))
	receive(ctx, subscription, 1, ack)
	hourAgo := timestamppb.New(time.Now().Add(-time.Hour))
	must(admin.Seek(ctx, &pubsubpb.SeekRequest{Subscription: subscription, Target: &pubsubpb.SeekRequest_Time{Time: hourAgo}}))
	check(string(receive(ctx, subscription, 1, ack)[0].Data) == "again", "something else came")
	check(admin.DeleteSnapshot(ctx, &pubsubpb.DeleteSnapshotRequest{Snapshot: snapshot.Name}) == nil, "the snapshot stays")
}

func testResources(ctx context.Context) {
	topics, subscriptions := client.TopicAdminClient, client.SubscriptionAdminClient
	topic := makeTopic(ctx)
	_, err := topics.CreateTopic(ctx, &pubsubpb.Topic{Name: topic})
	expect(codes.AlreadyExists, err)
	subscription := makeSubscription(ctx, topic, &pubsubpb.Subscription{})
	updated := must(subscriptions.UpdateSubscription(ctx, &pubsubpb.UpdateSubscriptionRequest{
		Subscription: &pubsubpb.Subscription{Name: subscription, AckDeadlineSeconds: 60, Labels: map[string]string{"a": "b"}},
		UpdateMask:   &fieldmaskpb.FieldMask{Paths: []string{"ack_deadline_seconds", "labels"}},
	}))
	check(updated.AckDeadlineSeconds == 60 && updated.Labels["a"] == "b", "%v", updated)
	changed := must(topics.UpdateTopic(ctx, &pubsubpb.UpdateTopicRequest{
		Topic:      &pubsubpb.Topic{Name: topic, MessageRetentionDuration: durationpb.New(10 * time.Minute)},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"message_retention_duration"}},
	}))
	check(changed.MessageRetentionDuration.Seconds == 600, "%v", changed)
	found := false
	for listed, err := range topics.ListTopicSubscriptions(ctx, &pubsubpb.ListTopicSubscriptionsRequest{Topic: topic}).All() {
		check(err == nil, "%v", err)
		found = found || listed == subscription
	}
	check(found, "%s is not listed", subscription)
	must(topics.DetachSubscription(ctx, &pubsubpb.DetachSubscriptionRequest{Subscription: subscription}))
	_, err = subscriptions.Pull(ctx, &pubsubpb.PullRequest{Subscription: subscription, MaxMessages: 1})
	expect(codes.FailedPrecondition, err)
	expect(codes.OK, subscriptions.DeleteSubscription(ctx, &pubsubpb.DeleteSubscriptionRequest{Subscription: subscription}))
	expect(codes.OK, topics.DeleteTopic(ctx, &pubsubpb.DeleteTopicRequest{Topic: topic}))
	_, err = topics.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: topic})
	expect(codes.NotFound, err)
}

func testSchemas(ctx context.Context) {
	// This client alone does not look at PUBSUB_EMULATOR_HOST; it takes the connection of one that does.
	schemas := must(apiv1.NewSchemaClient(ctx, option.WithGRPCConn(client.TopicAdminClient.Connection())))
	count++
	schema := must(schemas.CreateSchema(ctx, &pubsubpb.CreateSchemaRequest{
		Parent: project, SchemaId: fmt.Sprintf("schema-%x-%d", now, count),
		Schema: &pubsubpb.Schema{Type: pubsubpb.Schema_AVRO, Definition: `{"type": "record", "name": "Point", "fields": [{"name": "x", "type": "int"}]}`},
	}))
	topic := must(client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{
		Name:           name("topics", "topic"),
		SchemaSettings: &pubsubpb.SchemaSettings{Schema: schema.Name, Encoding: pubsubpb.Encoding_JSON},
	})).Name
	publish(ctx, topic, &pubsub.Message{Data: []byte(`{"x": 1}`)})
	publisher := client.Publisher(topic)
	defer publisher.Stop()
	_, err := publisher.Publish(ctx, &pubsub.Message{Data: []byte(`{"z": 1}`)}).Get(ctx)
	expect(codes.InvalidArgument, err)
	expect(codes.OK, schemas.DeleteSchema(ctx, &pubsubpb.DeleteSchemaRequest{Name: schema.Name}))
}

func testIam(ctx context.Context) {
	topics := client.TopicAdminClient
	topic := makeTopic(ctx)
	policy := must(topics.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: topic}))
	policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: "roles/pubsub.publisher", Members: []string{"user:someone@example.com"}})
	set := must(topics.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: topic, Policy: policy}))
	check(len(set.Bindings) == 1, "%v", set)
	granted := must(topics.TestIamPermissions(ctx, &iampb.TestIamPermissionsRequest{Resource: topic, Permissions: []string{"pubsub.topics.publish"}}))
	check(len(granted.Permissions) == 1, "%v", granted)
}

func main() {
	ctx := context.Background()
	var err error
	if client, err = pubsub.NewClient(ctx, "interop"); err != nil {
		fmt.Println("FAILED ", err)
		os.Exit(1)
	}
	defer client.Close()
	tests := []struct {
		name string
		run  func(context.Context)
	}{
		{"publishes and pulls on a stream", testPublishAndStreamingPull}, {"keeps order", testOrdering},
		{"nacks, filters and makes dead letters", testNackDeadLetterAndFilter}, {"acknowledges exactly once", testExactlyOnce},
		{"takes snapshots and seeks", testSnapshotsAndSeek}, {"manages resources", testResources},
		{"checks schemas", testSchemas}, {"keeps policies", testIam},
	}
	failed := 0
	for _, test := range tests {
		start := time.Now()
		func() {
			defer func() {
				if problem := recover(); problem != nil {
					failed++
					fmt.Printf("FAILED  %s: %v\n", test.name, problem)
				} else {
					fmt.Printf("ok      %s (%.1f s)\n", test.name, time.Since(start).Seconds())
				}
			}()
			test.run(ctx)
		}()
	}
	if failed > 0 {
		os.Exit(1)
	}
}
