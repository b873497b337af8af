import fc from "fast-check";
import { expect, it } from "vitest";
import { RequestWindow } from "../../src/rpc/window.ts";

const PLACES = 128;
const PLACES_WITH_URGENT = 160;

/** A window, and who got a turn in it, in order. */
function setUp() {
  const window = new RequestWindow<() => boolean>((turn) => turn());
  const ran: string[] = [];
  const enter = (name: string, { urgent = false, takesPlace = true } = {}): void =>
    window.enter(() => {
      ran.push(name);
      return takesPlace;
    }, urgent);
  const enterMany = (prefix: string, count: number, options?: Parameters<typeof enter>[1]): string[] => {
    const names = Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
    for (const name of names) enter(name, options);
    return names;
  };
  return { window, ran, enter, enterMany };
}

it("lets at most 128 be unanswered, in the order in which they came", () => {
  const { window, ran, enterMany } = setUp();
  const all = enterMany("r", 300);
  expect(ran).toEqual(all.slice(0, PLACES));
  for (let answered = 1; answered <= 300; answered++) {
    window.leave();
    expect(ran).toEqual(all.slice(0, PLACES + answered));
  }
});

it("keeps 32 places for urgent ones, which overtake those who wait", () => {
  const { window, ran, enterMany } = setUp();
  const ordinary = enterMany("r", 200);
  const urgent = enterMany("u", 40, { urgent: true });
  expect(ran).toEqual([...ordinary.slice(0, PLACES), ...urgent.slice(0, 32)]);
  window.leave();
  expect(ran.slice(PLACES_WITH_URGENT)).toEqual(["u33"]);
});

it("gives ordinary ones no place above the limit when urgent ones leave", () => {
  const { window, ran, enterMany } = setUp();
  enterMany("r", 129);
  enterMany("u", 32, { urgent: true });
  for (let left = 0; left < 32; left++) window.leave();
  expect(ran).not.toContain("r129");
  window.leave();
  expect(ran.at(-1)).toBe("r129");
});

it("gives no place to a turn that was given up", () => {
  const { window, ran, enter, enterMany } = setUp();
  enterMany("r", PLACES);
  enterMany("gone", 500, { takesPlace: false });
  enter("next");
  enter("after");
  expect(ran).toHaveLength(PLACES);
  window.leave();
  expect(ran.slice(-2)).toEqual(["gone500", "next"]);
  window.leave();
  expect(ran.at(-1)).toBe("after");
});

it.each([false, true])(
  "lets nobody who comes during a turn overtake those who wait already (urgent: %s)",
  (urgent) => {
    const { window, ran, enter, enterMany } = setUp();
    enterMany("r", PLACES);
    enterMany("u", PLACES_WITH_URGENT - PLACES, { urgent: true });
    let isFirst = true;
    window.enter(() => {
      if (isFirst) enter("late", { urgent });
      isFirst = false;
      return true;
    }, urgent);
    enter("next", { urgent });
    ran.length = 0;
    for (let left = 0; left < 40; left++) window.leave();
    expect(ran).toEqual(["next", "late"]);
  },
);

it("gives everyone who waits a turn when flushed, urgent ones first, whatever the limit", () => {
  const { window, ran, enterMany } = setUp();
  const ordinary = enterMany("r", 400);
  const urgent = enterMany("u", 40, { urgent: true });
  window.flush();
  expect(ran).toEqual([
    ...ordinary.slice(0, PLACES),
    ...urgent.slice(0, 32),
    ...urgent.slice(32),
    ...ordinary.slice(PLACES),
  ]);
  window.flush();
  expect(ran).toHaveLength(440);
});

it("holds its limits and its order, whatever happens when", () => {
  const event = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ urgent: fc.boolean(), takesPlace: fc.boolean(), count: fc.nat(80) }),
    },
    { weight: 2, arbitrary: fc.record({ leave: fc.nat(80) }) },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const window = new RequestWindow<() => boolean>((turn) => turn());
      let inFlight = 0;
      let entered = 0;
      const waiting = { true: [] as number[], false: [] as number[] };
      for (const happening of events) {
        if ("leave" in happening) {
          for (let i = Math.min(happening.leave, inFlight); i > 0; i--) {
            inFlight--;
            window.leave();
          }
          continue;
        }
        const { urgent, takesPlace, count } = happening;
        for (let i = 0; i < count; i++) {
          const id = entered++;
          const queue = waiting[`${urgent}`];
          queue.push(id);
          window.enter(() => {
            expect(queue.shift()).toBe(id);
            if (!urgent) expect(waiting.true.length === 0 || inFlight >= PLACES_WITH_URGENT).toBe(true);
            expect(inFlight).toBeLessThan(urgent ? PLACES_WITH_URGENT : PLACES);
            if (takesPlace) inFlight++;
            return takesPlace;
          }, urgent);
        }
      }
      if (inFlight < PLACES) expect(waiting).toEqual({ true: [], false: [] });
      if (inFlight < PLACES_WITH_URGENT) expect(waiting.true).toEqual([]);
    }),
  );
});
