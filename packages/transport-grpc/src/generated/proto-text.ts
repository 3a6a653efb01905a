// Made by scripts/generate.ts from proto/: run it again after a change there.

/** Text of each .proto file, by its path under proto/. */
export const protoText = {
  'holdfast/v1/admin.proto': `syntax = "proto3";

// What the command line asks a node.
package holdfast.v1;

// Served beside Peers. Documents are JSON; their fields are contracts under the schema's name.
service Admin {
  // The cluster as this node sees it: schema holdfast/status/v1.
  rpc Status(StatusRequest) returns (JsonReply);
  // One user's state and where it lives; NOT_FOUND when the cluster has never seen the key.
  rpc GetUser(GetUserRequest) returns (JsonReply);
  // All users, in ascending order of their key bytes.
  rpc Export(ExportRequest) returns (stream JsonReply);
  // An operator's act: request as JSON, answer holdfast/act/v1. Answered when it is in the log, or taken by whom it concerns;
  // not when it is done.
  rpc Act(ActRequest) returns (JsonReply);
}

message StatusRequest {}

message GetUserRequest {
  // The exact key bytes.
  bytes key = 1;
}

message ExportRequest {}

message ActRequest {
  string json = 1;
}

message JsonReply {
  string schema = 1;
  string json = 2;
}
`,
  'holdfast/v1/peers.proto': `syntax = "proto3";

// Control traffic between nodes.
package holdfast.v1;

// Served by the control thread of each node, on the address that gossip tells.
service Peers {
  // Raft messages from one node to another, in order while the stream lasts. The first batch carries the hello and
  // nothing else; initial metadata is the answer when it is accepted. The response never comes.
  rpc Raft(stream RaftBatch) returns (RaftDone);
  // Questions and their answers, in any order: a stream for as long as the connection lasts, since a grant is asked for
  // hundreds of times a second and opening a call costs more than answering it. The first request carries the hello and
  // nothing else; initial metadata is the answer when it is accepted.
  rpc Calls(stream CallRequest) returns (stream CallReply);
}

// Refused with FAILED_PRECONDITION when it is meant for another cluster or node, or the protocol version is unknown.
message PeerHello {
  uint32 protocol_version = 1;
  string cluster_id = 2;
  string from = 3;
  string to = 4;
}

message RaftBatch {
  PeerHello hello = 1;
  // Each one message, as packages/raft encodes it.
  repeated bytes messages = 2;
  // Or a piece of a message that is too large for one batch.
  RaftPart part = 3;
}

message RaftPart {
  bytes bytes = 1;
  bool last = 2;
}

message RaftDone {}

message CallRequest {
  PeerHello hello = 1;
  // Unique in its stream, and in the answer.
  uint64 id = 2;
  string method = 3;
  bytes body = 4;
}

message CallReply {
  uint64 id = 1;
  bytes body = 2;
  // Set when the handler failed: the text of its error.
  optional string failure = 3;
}
`,
  'holdfast/v1/records.proto': `syntax = "proto3";

// Streams of records between shards (docs/PROTOCOL.md, section 4).
package holdfast.v1;

// Served by each shard on its own address.
service Records {
  // One stream from an ingest shard to a holder shard. The first message is the hello; the holder answers it with
  // initial metadata when it accepts, with a status otherwise: FAILED_PRECONDITION when another session, shard or
  // cluster lives at the address or the protocol version is unknown, UNAVAILABLE when it has no session yet.
  rpc Frames(stream FrameMessage) returns (stream ReturnMessage);
}

message FrameMessage {
  oneof kind {
    Hello hello = 1;
    Frame frame = 2;
  }
}

// Who speaks to whom. All numbers of type uint64 in this package stay below 2^53.
message Hello {
  uint32 protocol_version = 1;
  string cluster_id = 2;
  uint64 from_session = 3;
  uint32 from_shard = 4;
  uint64 to_session = 5;
  uint32 to_shard = 6;
  // Rises with each stream that the sender opens to this holder.
  uint64 incarnation = 7;
}

// Records of one partition for one holder.
message Frame {
  // 1, 2, 3 … within the stream.
  uint64 number = 1;
  uint64 table_index = 2;
  uint64 reading = 3;
  uint64 refusal_seen = 4;
  string topic = 5;
  string topic_id = 6;
  uint32 partition = 7;
  uint64 durable_watermark = 8;
  uint64 base_offset = 9;
  // Was the time that others were relative to.
  reserved 10;
  uint32 count = 11;
  // Record block: see packages/processor/src/record-block.ts.
  bytes block = 12;
}

message ReturnMessage {
  oneof kind {
    Applied applied = 1;
    Refused refused = 2;
    Durable durable = 3;
  }
}

// All frames up to this one are settled.
message Applied {
  uint64 frame = 1;
}

// Units of a frame that were not accepted.
message Refused {
  uint64 number = 1;
  uint64 frame = 2;
  uint64 table_index = 3;
  // Pairs: high half, low half.
  repeated fixed32 units = 4;
}

// All records of frames up to this one are durable.
message Durable {
  uint64 frame = 1;
  uint64 table_index = 2;
}
`,
} as const;
