import { expect, it } from "vitest";
import { bindMembers } from "../../src/internal/bound.ts";

class Base {
  #secret = "base";
  readonly label = "own";
  constructor() {
    bindMembers(this, Base);
  }
  base(): string {
    return this.#secret;
  }
  get secret(): string {
    return this.#secret;
  }
  overridden(): string {
    return "base";
  }
}

class Derived extends Base {
  override overridden(): string {
    return `derived ${this.label}`;
  }
  [Symbol.iterator](): string {
    return this.base();
  }
}

it("makes methods, getters and symbols work through a Proxy", () => {
  const proxy = new Proxy(new Derived(), {});
  expect(proxy.base()).toBe("base");
  expect(proxy.secret).toBe("base");
  expect(proxy[Symbol.iterator]()).toBe("base");
});

it("binds the member of the most derived class, and shows none among the enumerable ones", () => {
  const derived = new Derived();
  expect(derived.overridden()).toBe("derived own");
  expect(Object.keys(derived)).toEqual(["label"]);
  expect(JSON.stringify(derived)).toBe('{"label":"own"}');
});

it("leaves a member replaceable, and Object.prototype unbound", () => {
  const derived = new Derived();
  derived.base = () => "replaced";
  expect(derived.base()).toBe("replaced");
  expect(Object.hasOwn(derived, "hasOwnProperty")).toBe(false);
});
