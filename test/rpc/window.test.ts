import fc from "fast-check";
import { expect, it } from "vitest";
import { RequestWindow } from "../../src/rpc/window.ts";

const PLACES = 128;
const PLACES_WITH_URGENT = 160;

/** A window, and the names of the requests that it has sent, in order. */
function setUp() {
  const window = new RequestWindow<() => boolean>((request) => request());
  const sent: string[] = [];
  const enter = (name: string, { urgent = false, takesPlace = true } = {}): void =>
    window.enter(
      () => {
        sent.push(name);
        return takesPlace;
      },
      urgent ? "urgent" : "ordinary",
    );
  const enterMany = (prefix: string, count: number, options?: Parameters<typeof enter>[1]): string[] => {
    const names = Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
    for (const name of names) enter(name, options);
    return names;
  };
  return { window, sent, enter, enterMany };
}

it("keeps at most 128 requests in flight, in the order of their calls", () => {
  const { window, sent, enterMany } = setUp();
  const all = enterMany("r", 300);
  expect(sent).toEqual(all.slice(0, PLACES));
  for (let answered = 1; answered <= 300; answered++) {
    window.leave();
    expect(sent).toEqual(all.slice(0, PLACES + answered));
  }
});

it("reserves 32 places for urgent requests, which bypass the queue", () => {
  const { window, sent, enterMany } = setUp();
  const ordinary = enterMany("r", 200);
  const urgent = enterMany("u", 40, { urgent: true });
  expect(sent).toEqual([...ordinary.slice(0, PLACES), ...urgent.slice(0, 32)]);
  window.leave();
  expect(sent.slice(PLACES_WITH_URGENT)).toEqual(["u33"]);
});

it("sends no ordinary request above the limit when urgent requests are answered", () => {
  const { window, sent, enterMany } = setUp();
  enterMany("r", 129);
  enterMany("u", 32, { urgent: true });
  for (let left = 0; left < 32; left++) window.leave();
  expect(sent).not.toContain("r129");
  window.leave();
  expect(sent.at(-1)).toBe("r129");
});

it("gives no place to a request whose wait has ended", () => {
  const { window, sent, enter, enterMany } = setUp();
  enterMany("r", PLACES);
  enterMany("ended", 500, { takesPlace: false });
  enter("next");
  enter("after");
  expect(sent).toHaveLength(PLACES);
  window.leave();
  expect(sent.slice(-2)).toEqual(["ended500", "next"]);
  window.leave();
  expect(sent.at(-1)).toBe("after");
});

it.each(["ordinary", "urgent"] as const)(
  "queues a request made while another is sent behind those already queued (%s)",
  (lane) => {
    const { window, sent, enter, enterMany } = setUp();
    enterMany("r", PLACES);
    enterMany("u", PLACES_WITH_URGENT - PLACES, { urgent: true });
    let isFirst = true;
    window.enter(() => {
      if (isFirst) enter("late", { urgent: lane === "urgent" });
      isFirst = false;
      return true;
    }, lane);
    enter("next", { urgent: lane === "urgent" });
    sent.length = 0;
    for (let left = 0; left < 40; left++) window.leave();
    expect(sent).toEqual(["next", "late"]);
  },
);

it("sends ordinary requests past HTTP requests that have no room, and those first once they have", () => {
  let hasRoom = false;
  const sent: string[] = [];
  const window = new RequestWindow<string>(
    (name) => sent.push(name) > 0,
    () => hasRoom,
  );
  window.enter("http", "http");
  for (let n = 1; n <= PLACES + 1; n++) window.enter(`r${n}`, "ordinary");
  expect(sent).toHaveLength(PLACES);
  expect([...window.queued("http")]).toEqual(["http"]);
  hasRoom = true;
  window.leave();
  window.leave();
  expect(sent.slice(PLACES)).toEqual(["http", `r${PLACES + 1}`]);
});

it("flushes all queued requests regardless of the limit, urgent requests first", () => {
  const { window, sent, enterMany } = setUp();
  const ordinary = enterMany("r", 400);
  const urgent = enterMany("u", 40, { urgent: true });
  window.flush();
  expect(sent).toEqual([
    ...ordinary.slice(0, PLACES),
    ...urgent.slice(0, 32),
    ...urgent.slice(32),
    ...ordinary.slice(PLACES),
  ]);
  window.flush();
  expect(sent).toHaveLength(440);
});

it("keeps its limits and its order in any sequence of calls and responses", () => {
  const events = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ urgent: fc.boolean(), takesPlace: fc.boolean(), count: fc.nat(80) }),
    },
    { weight: 2, arbitrary: fc.record({ leave: fc.nat(80) }) },
  );
  fc.assert(
    fc.property(fc.array(events, { maxLength: 40 }), (sequence) => {
      const window = new RequestWindow<() => boolean>((request) => request());
      let inFlight = 0;
      let entered = 0;
      const queued = { true: [] as number[], false: [] as number[] };
      for (const event of sequence) {
        if ("leave" in event) {
          for (let i = Math.min(event.leave, inFlight); i > 0; i--) {
            inFlight--;
            window.leave();
          }
          continue;
        }
        const { urgent, takesPlace, count } = event;
        for (let i = 0; i < count; i++) {
          const id = entered++;
          const queue = queued[`${urgent}`];
          queue.push(id);
          window.enter(
            () => {
              expect(queue.shift()).toBe(id);
              if (!urgent) expect(queued.true.length === 0 || inFlight >= PLACES_WITH_URGENT).toBe(true);
              expect(inFlight).toBeLessThan(urgent ? PLACES_WITH_URGENT : PLACES);
              if (takesPlace) inFlight++;
              return takesPlace;
            },
            urgent ? "urgent" : "ordinary",
          );
        }
      }
      if (inFlight < PLACES) expect(queued).toEqual({ true: [], false: [] });
      if (inFlight < PLACES_WITH_URGENT) expect(queued.true).toEqual([]);
    }),
  );
});
