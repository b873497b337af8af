import { ServerError } from "../errors/server.ts";
import type { Rule } from "../internal/option-rules.ts";
import type { WireEnvironmentInfo } from "../protocol/environment.ts";
import { FEATURES, type ServerFeature } from "../protocol/features.ts";
import { RPC_INTERNAL_ERROR, RPC_METHOD_NOT_FOUND } from "../protocol/json-rpc.ts";
import type { MethodName } from "../protocol/methods.ts";
import type { TestHandler } from "./handlers.ts";

/** The version that the test server imitates unless a test names another one. */
export const DEFAULT_VERSION = "0.171.0";

export const versionRule: Rule = (value) =>
  /^0\.\d+\.\d+$/.test(String(value)) ? undefined : 'a version such as "0.151.0"';

/** The first version 0.N that decodes gzip in responses. */
const DECODES_GZIP = 171;

/** The methods that a feature consists of. */
const METHODS: Partial<Record<ServerFeature, RegExp>> = {
  files: /^fs\//,
  readStreams: /^fs\/(open|readBlock|close)$/,
  walk: /^fs\/walk$/,
  status: /^environment\/status$/,
  writeStreams: /^fs\/writeBlock$/,
  watch: /^fs\/watchMissing$/,
};

/** What a server of one version does otherwise than the newest, by the table of features. */
export class Profile {
  readonly #version: string;
  /** N of the version 0.N. */
  readonly #minor: number;

  constructor(version: string) {
    this.#version = version;
    this.#minor = Number(version.split(".")[1]);
  }

  has(feature: ServerFeature): boolean {
    return this.#minor >= FEATURES[feature].since;
  }

  get decodesGzip(): boolean {
    return this.#minor >= DECODES_GZIP;
  }

  /** Whether the handshake reports the environment. */
  get reportsEnvironment(): boolean {
    return this.#minor >= 150;
  }

  /** The members of a default environment that this version reports. */
  environment({ cwd, platformOs, userHomeDir, tempDir, shell }: WireEnvironmentInfo): WireEnvironmentInfo {
    const features = Object.entries(FEATURES) as [ServerFeature, { capability?: string }][];
    const capabilities = features.flatMap(([feature, { capability }]) =>
      capability && this.has(feature) ? [[capability, true] as const] : [],
    );
    return {
      shell,
      ...(this.has("defaultCwd") ? { cwd } : {}),
      ...(this.#minor >= 145 ? { capabilities: Object.fromEntries(capabilities) } : {}),
      ...(this.#minor >= 150 ? { tempDir } : {}),
      ...(this.has("terminalSize") ? { platformOs, userHomeDir } : {}),
      ...(this.#minor >= 155 ? { executorVersion: this.#version } : {}),
    };
  }

  /** The handler of a method as this version has it: it rejects what the version can't do. */
  handler<M extends MethodName>(method: M, handler: TestHandler<M>): TestHandler<M> {
    const isMissing = (Object.entries(METHODS) as [ServerFeature, RegExp][]).some(
      ([feature, methods]) => !this.has(feature) && methods.test(method),
    );
    if (isMissing)
      return () => refuse(RPC_METHOD_NOT_FOUND, `exec-server stub does not implement \`${method}\` yet`);
    if (method === "process/start" && !this.has("commands")) {
      return () => refuse(RPC_INTERNAL_ERROR, "No such file or directory (os error 2)");
    }
    if (method !== "fs/open" || this.has("writeStreams")) return handler;
    // It ignores the mode.
    return (request, connection) =>
      handler({ ...request, params: { ...request.params, mode: "read" } } as typeof request, connection);
  }
}

function refuse(rpcCode: number, message: string): never {
  throw new ServerError(message, { rpcCode });
}
