import { expect, test } from "vitest";
import { BackOff } from "../../src/gateway/back-off.ts";

const delays = (backOff: BackOff, address: string, count: number, now = 0): number[] =>
  Array.from({ length: count }, () => backOff.delayFor(address, now));

test("answers ten failures at once, further ones by half a second later each, at most by five seconds", () => {
  const all = delays(new BackOff(), "192.0.2.1", 40);
  expect(all.slice(0, 10)).toEqual(Array(10).fill(0));
  expect(all.slice(10, 13)).toEqual([500, 1_000, 1_500]);
  expect(Math.max(...all)).toBe(5_000);
});

test("forgives one failure each half second", () => {
  const backOff = new BackOff();
  delays(backOff, "192.0.2.1", 1_000);
  expect(backOff.delayFor("192.0.2.1", 5_000)).toBe(500);
  expect(backOff.delayFor("192.0.2.1", 60_000)).toBe(0);
});

test("keeps addresses apart, and takes a network of 64 bits for one", () => {
  const backOff = new BackOff();
  delays(backOff, "2001:db8:1:2::1", 11);
  expect(backOff.delayFor("2001:db8:1:3::1", 0)).toBe(0);
  expect(backOff.delayFor("2001:db8:1:2:ffff::9", 0)).toBe(1_000);
  expect(backOff.delayFor("::1", 0)).toBe(0);
  expect(backOff.delayFor("192.0.2.1", 0)).toBe(0);
});

test("remembers a bounded number of addresses, those that failed last", () => {
  const backOff = new BackOff();
  delays(backOff, "192.0.2.1", 11);
  for (let n = 0; n < 9_999; n++) backOff.delayFor(`10.0.${n >> 8}.${n & 255}`, 0);
  expect(backOff.delayFor("192.0.2.1", 0)).toBe(1_000);
  for (let n = 0; n < 10_000; n++) backOff.delayFor(`10.1.${n >> 8}.${n & 255}`, 0);
  expect(backOff.delayFor("192.0.2.1", 0)).toBe(0);
});
