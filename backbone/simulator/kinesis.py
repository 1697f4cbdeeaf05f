"""Kinesis: streams with their shards, and what functions put into them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from backbone.simulator.api import error, reply
from backbone.simulator.engine import Engine, Request, StreamRecord
from backbone.simulator.processes import Call, Reply
from backbone.system.iam import Identity, authorize
from backbone.system.model import Stream
from backbone.system.target_input import at_path
from backbone.trace import Node

__all__ = ["Kinesis"]

HASH_KEYS = 2**128
FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898


class Kinesis:
    """The streams of a system."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.records: dict[str, list[tuple[str, Any]]] = engine.states(Stream, list)
        """The records of each stream by its ARN, as (partition key, data); data that is JSON is read."""
        self._sequence_number = FIRST_SEQUENCE_NUMBER
        engine.take(Stream, "stream", self._deliver)
        engine.answer("Kinesis_20131202", self._answer)

    def _deliver(self, stream: Stream, request: Request, node: Node) -> None:
        path = request.target.partition_key_path
        key = str(at_path(request.event, path)) if path else request.target.partition_key or request.event["id"]
        self.put(stream, key, request.input.encode(), node)

    def put(
        self, stream: Stream, key: str, data: bytes, node: Node | None, hash_key: int | None = None
    ) -> StreamRecord:
        """Put a record into a stream, and give it to those who read the stream."""
        engine = self._engine
        hashed = int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest(), "big")
        shard = (hashed if hash_key is None else hash_key) * stream.shards // HASH_KEYS
        self._sequence_number += 1
        content = self._content(stream, f"shardId-{shard:012}", str(self._sequence_number), key, data)
        record = StreamRecord(
            shard=f"shardId-{shard:012}",
            key=key,
            sequence_number=str(self._sequence_number),
            arrived=engine.now,
            content=content,
            node=node,
        )
        kept = self.records[stream.arn]
        kept.append((key, _value(data)))
        engine.at(stream.retention_seconds, partial(self._expire, stream, node), passive=True)
        for read in engine.streams.get(stream.arn, ()):
            read(record)
        return record

    def _expire(self, stream: Stream, node: Node | None) -> None:
        """Remove the oldest record; those who read the stream say themselves what they did not come to."""
        self.records[stream.arn].pop(0)
        if not self._engine.streams.get(stream.arn):
            words = (
                f"older than the {stream.retention_seconds:,} seconds that the stream keeps records; nothing read it"
            )
            self._engine.node("lost", stream.name, stream.account, words, node)

    def _content(self, stream: Stream, shard: str, number: str, key: str, data: bytes) -> dict[str, Any]:
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": key,
                "sequenceNumber": number,
                "data": base64.b64encode(data).decode(),
                "approximateArrivalTimestamp": round(self._engine.timestamp, 3),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard}:{number}",
            "eventName": "aws:kinesis:record",
            "awsRegion": stream.place.region,
            "eventSourceARN": stream.arn,
        }

    # What functions ask

    def _answer(self, who: Identity, call: Call) -> Reply:
        engine, operation = self._engine, call.target.partition(".")[2]
        given = json.loads(call.body or b"{}")
        if operation not in ("PutRecord", "PutRecords"):
            account = engine.system.account_name(who.account_id)
            engine.node("refused", "kinesis", account, f"kinesis:{operation} is not simulated")
            return error("NotSimulated", f"kinesis:{operation} is not simulated", 501)
        stream = self._stream(given, who.account_id)
        if stream is None:
            name = given.get("StreamName") or given.get("StreamARN")
            return error("ResourceNotFoundException", f"Stream {name} under account {who.account_id} not found.")
        action, context = f"kinesis:{operation}", engine.context
        decision = authorize(who, action, stream.arn, owner=stream.account_id, context=context)
        if not decision:
            words = f"{action}: {decision.why}"
            engine.node("denied", stream.name, stream.account, words, code="AccessDeniedException")
            return error("AccessDeniedException", decision.why)
        if engine.strikes(("throttle", "timeout"), *stream.names):
            engine.node("refused", stream.name, stream.account, f"{action}: throttled by a fault")
            return error("ProvisionedThroughputExceededException", f"Rate exceeded for stream {stream.name}.")
        node = engine.node("call", stream.name, stream.account, action)
        if operation == "PutRecord":
            return reply(self._put_given(stream, given, node))
        results = [self._put_given(stream, entry, node) for entry in given["Records"]]
        return reply({"FailedRecordCount": 0, "Records": results, "EncryptionType": "NONE"})

    def _stream(self, given: Mapping[str, Any], account_id: str) -> Stream | None:
        if (arn := given.get("StreamARN")) is not None:
            return self._engine.system.get(Stream, arn)
        asked = account_id, given.get("StreamName")
        streams = self._engine.system.of(Stream)
        return next((stream for stream in streams if (stream.account_id, stream.name) == asked), None)

    def _put_given(self, stream: Stream, given: Mapping[str, Any], node: Node) -> dict[str, str]:
        explicit = given.get("ExplicitHashKey")
        data, hash_key = base64.b64decode(given["Data"]), None if explicit is None else int(explicit)
        record = self.put(stream, given["PartitionKey"], data, node, hash_key)
        return {"ShardId": record.shard, "SequenceNumber": record.sequence_number}


def _value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")
