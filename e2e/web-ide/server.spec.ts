import { expect } from "@playwright/test";
import { test } from "./ide.ts";

test("rejects requests of other origins for the token and the server buttons", async ({ ide, request }) => {
  const { host } = new URL(ide.url);
  for (const headers of [
    {},
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "same-origin", host: `attacker.example:${new URL(ide.url).port}` },
  ]) {
    expect((await request.get(`${ide.url}/api/connection`, { headers })).status()).toBe(403);
    expect((await request.post(`${ide.url}/api/server/kill`, { headers })).status()).toBe(403);
  }
  const page = await request.get(ide.url, { headers: { host } });
  const policy = page.headers()["content-security-policy"];
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).toContain("require-trusted-types-for 'script'");
});
