import { performance } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import type { Connection } from "../../src/transport/transport.ts";
import { END, Recorder } from "../support/recorder.ts";
import type { Harness, Peer } from "./harness/harness.ts";

/** The tests that every transport has to pass. */
export function transportContract(name: string, make: () => Promise<Harness>): void {
  describe(name, () => {
    test("delivers frames in order, both ways", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const frames = numbered(500);
      const recorder = new Recorder(connection);

      peer.send(...frames);
      for (const frame of frames) connection.send(frame);

      expect(await recorder.entries(500)).toEqual(frames);
      expect(await received(peer, 500)).toEqual(frames);
    });

    test("delivers every frame once and in order to a peer that reads late", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const frames = numbered(1000, "x".repeat(8 * 1024));

      peer.pause();
      for (const frame of frames) connection.send(frame);
      peer.resume();

      expect(await received(peer, 1000)).toEqual(frames);
    });

    test("queues frames that arrive before start()", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      peer.send("1", "2");
      await peer.flushed();
      peer.send("3");
      const recorder = new Recorder(connection);
      peer.send("4");
      expect(await recorder.entries(4)).toEqual(["1", "2", "3", "4"]);
    });

    test("delivers an end that arrives before start() after the queued frames", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      peer.send("1", "2");
      peer.end();
      await harness.allGone();
      const recorder = new Recorder(connection);
      await recorder.ended;
      expect(recorder.log).toEqual(["1", "2", END]);
    });

    test("delivers a frame sent in the same turn as the close, then the end", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const recorder = new Recorder(connection);
      peer.send("last frame");
      peer.end();
      await recorder.ended;
      expect(recorder.log).toEqual(["last frame", END]);
    });

    test("delivers the end exactly once and no frame after it", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const recorder = new Recorder(connection);
      peer.send(...numbered(200));
      const closing = connection.close();
      peer.send(...numbered(200));
      peer.disappear();
      await Promise.all([closing, connection.close(), recorder.ended]);
      await harness.allGone();
      expect(recorder.log.indexOf(END)).toBe(recorder.log.length - 1);
    });

    test("can be closed from within onFrame", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      peer.send("1");
      await peer.flushed();
      const log: string[] = [];
      await new Promise<void>((resolve) => {
        connection.start({
          onFrame(frame) {
            log.push(String(frame.length));
            void connection.close();
          },
          onEnd() {
            log.push(END);
            resolve();
          },
        });
      });
      await harness.allGone();
      expect(log).toEqual(["1", END]);
    });

    test("is open until the peer's end and not afterwards", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      expect(connection.isOpen).toBe(true);
      const openAtEnd = new Promise((resolve) => {
        connection.start({ onFrame() {}, onEnd: () => resolve(connection.isOpen) });
      });
      peer.end();
      expect(await openAtEnd).toBe(false);
      expect(connection.isOpen).toBe(false);
    });

    test("is not open as soon as close() is called", async () => {
      await using harness = await make();
      const { connection } = await connected(harness);
      const closing = connection.close();
      expect(connection.isOpen).toBe(false);
      await closing;
      expect(connection.isOpen).toBe(false);
    });

    test("drops frames sent after its own close()", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      connection.send("in time");
      const closing = connection.close();
      connection.send("late");
      await closing;
      connection.send("too late");
      expect(await peer.receive()).toBe("in time");
      expect(await peer.receive()).toBeUndefined();
    });

    test("drops frames sent after the peer's end", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const recorder = new Recorder(connection);
      peer.end();
      await recorder.ended;
      expect(() => connection.send("late")).not.toThrow();
      expect(await peer.receive()).toBeUndefined();
    });

    test("close() settles within two seconds if the peer never answers, also when called twice", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const recorder = new Recorder(connection);
      peer.pause();
      const start = performance.now();
      await Promise.all([connection.close(), connection.close()]);
      expect(performance.now() - start).toBeLessThan(2_000);
      await recorder.ended;
      await connection.close();
      expect(recorder.log).toEqual([END]);
      await harness.allGone();
    });

    test("opens nothing if the signal has already aborted", async () => {
      await using harness = await make();
      const reason = new Error("aborted by the test");
      const aborted = harness.transport.connect({ signal: AbortSignal.abort(reason) });
      await expect(aborted).rejects.toBe(reason);
      // This attempt is the first one that opens a socket or child process.
      await connected(harness);
      expect(harness.attempts).toBe(1);
    });

    test("rejects with the signal's reason and releases everything if the signal aborts while connecting", async () => {
      await using harness = await make();
      const reason = new Error("aborted by the test");
      const controller = new AbortController();
      harness.onAttempt = () => controller.abort(reason);
      await expect(harness.transport.connect({ signal: controller.signal })).rejects.toBe(reason);
      expect(harness.attempts).toBe(1);
      await harness.allGone();
    });

    test("ignores an abort after connecting", async () => {
      await using harness = await make();
      const controller = new AbortController();
      const { connection, peer } = await connected(harness, controller.signal);
      controller.abort();
      const recorder = new Recorder(connection);
      peer.send("after the abort");
      expect(await recorder.entries(1)).toEqual(["after the abort"]);
    });

    test("delivers a frame of 8 MiB whole, both ways", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const recorder = new Recorder(connection);
      const large = "0123456789abcdef".repeat(512 * 1024);
      peer.send(large);
      connection.send(large);
      // Compared as booleans: a diff of this size is useless.
      expect((await recorder.entries(1))[0] === large).toBe(true);
      expect((await peer.receive()) === large).toBe(true);
    });

    test("keeps multi-byte characters whole across chunk boundaries", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const recorder = new Recorder(connection);
      // The pattern has nine bytes, no chunk size is a multiple of that: some chunk boundary falls into each character.
      const text = "é€😀".repeat(100_000);
      peer.send(text);
      connection.send(text);
      expect((await recorder.entries(1))[0] === text).toBe(true);
      expect((await peer.receive()) === text).toBe(true);
    });

    test("preserves every character that JSON does not escape", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const recorder = new Recorder(connection);
      const frames = [
        "\u2028\u2029\u0085",
        "\ufeff in the middle",
        "\u007f\ufffe\uffff",
        "e\u0301👩‍👩‍👧",
        "\u{10ffff}",
        "\0\r\n\ud800",
      ].map((text) => JSON.stringify(text));
      peer.send(...frames);
      for (const frame of frames) connection.send(frame);
      expect(await recorder.entries(frames.length)).toEqual(frames);
      expect(await received(peer, frames.length)).toEqual(frames);
    });

    test("delivers the end with a reason when the peer disappears without closing", async () => {
      await using harness = await make();
      const { connection, peer } = await connected(harness);
      const recorder = new Recorder(connection);
      peer.disappear();
      const end = await recorder.ended;
      expect(end.reason).toBeTruthy();
      expect(connection.isOpen).toBe(false);
    });
  });
}

async function connected(
  harness: Harness,
  signal = new AbortController().signal,
): Promise<{ connection: Connection; peer: Peer }> {
  const connection = await harness.transport.connect({ signal });
  return { connection, peer: await harness.peer() };
}

function numbered(count: number, padding = ""): string[] {
  return Array.from({ length: count }, (_, n) => JSON.stringify({ n, padding }));
}

async function received(peer: Peer, count: number): Promise<(string | undefined)[]> {
  const frames: (string | undefined)[] = [];
  while (frames.length < count) frames.push(await peer.receive());
  return frames;
}
