import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { Configuration } from "../../../src/gateway/command/configuration.ts";
import { readSettings } from "../../../src/gateway/command/read-settings.ts";
import type { TokenList } from "../../../src/gateway/tokens.ts";
import { ORIGIN, PROTOCOLS, TOKEN } from "../../support/gateway.ts";
import { GatewayCommand } from "../../support/gateway-command.ts";
import { filesIn, temporaryDirectory } from "../../support/temporary-files.ts";
import { type Certificate, selfSigned } from "../../support/tls-server.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";

const file = filesIn(temporaryDirectory());

test("a user is revoked although the file with the token of their exec-server is gone, too", () => {
  const upstream = "ws://127.0.0.1:1";
  const upstreamTokenFile = file("of-ada", "bearer-token-of-ada");
  const bob = { token: `${TOKEN}-bob`, upstream };
  const ada = { token: `${TOKEN}-ada`, upstream, upstreamTokenFile };
  const args = ["--origin", ORIGIN, "--tokens-file", file("users", { ada, bob })];
  const configuration = new Configuration(readSettings(args, {}), undefined);
  const tokens = configuration.options.authorize as TokenList;
  expect(tokens.find([ada.token])).toMatchObject({ user: "ada" });
  rmSync(upstreamTokenFile);
  expect(() => configuration.reload()).toThrow(
    '"ada": upstreamTokenFile must be a readable file, got ENOENT',
  );
  expect(tokens.find([ada.token])).toMatchObject({ user: "ada" });
  file("users", { bob });
  expect(configuration.reload()).toMatchObject([{ user: "ada" }]);
  expect(tokens.find([ada.token])).toBeUndefined();
  expect(tokens.find([bob.token])).toMatchObject({ user: "bob" });
});

test("a reload takes over all files or, if one can't be used, none", async () => {
  await using server = await PlainWebSocketServer.start();
  const files = ({ cert, key }: Certificate, bearer: string, token: string) => [
    ...["--tls-cert", file("cert.pem", cert), "--tls-key", file("key.pem", key)],
    ...["--upstream-token-file", file("bearer", bearer), "--token-file", file("token", token)],
  ];
  const [first, second] = [selfSigned("localhost"), selfSigned("localhost")];
  const args = ["--listen", "127.0.0.1:0", "--origin", ORIGIN, "--upstream", server.url];
  await using command = new GatewayCommand(...args, ...files(first, "bearer-1", TOKEN));
  const url = (await command.url()).replace("127.0.0.1", "localhost");
  /** The token that the exec-server gets for a page that trusts the certificate. */
  const bearerBehind = async ({ cert }: Certificate): Promise<unknown> => {
    const page = new WebSocket(url, PROTOCOLS, { origin: ORIGIN, ca: cert });
    const failed = new Promise<never>((_, reject) => page.on("error", reject));
    await Promise.race([server.next(), failed]);
    page.terminate();
    return server.upgrades.at(-1)?.headers.authorization;
  };
  expect(await bearerBehind(first)).toBe("Bearer bearer-1");

  files(second, "bearer-2", "short");
  command.kill("SIGHUP");
  await expect.poll(() => command.stderr).toContain("not reloaded");
  expect(await bearerBehind(first)).toBe("Bearer bearer-1");

  files({ ...second, key: first.key }, "bearer-2", TOKEN);
  command.kill("SIGHUP");
  await expect
    .poll(() => command.stderr)
    .toContain("not reloaded, the former tokens and certificates stay: --tls-cert");
  expect(await bearerBehind(first)).toBe("Bearer bearer-1");

  files(second, "bearer-2", TOKEN);
  command.kill("SIGHUP");
  await expect.poll(() => command.stderr).toContain("\nreloaded");
  expect(await bearerBehind(second)).toBe("Bearer bearer-2");
});
