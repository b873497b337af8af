import * as z from "zod/mini";

/** Shapes of server 0.169.0. Every member is optional, because older servers send fewer. */
export const environmentSchemas = /* @__PURE__ */ (() => {
  const info = z.looseObject({
    shell: z.nullish(z.looseObject({ name: z.string(), path: z.string() })),
    executorVersion: z.nullish(z.string()),
    providerId: z.nullish(z.string()),
    cwd: z.nullish(z.string()),
    userHomeDir: z.nullish(z.string()),
    platformOs: z.nullish(z.string()),
    prependPathDirs: z.nullish(z.array(z.string())),
    temporaryDirectories: z.nullish(z.array(z.string())),
    tempDir: z.nullish(z.string()),
    capabilities: z.nullish(z.looseObject({})),
  });
  return {
    info,
    status: z.looseObject({ status: z.string() }),
    discoverCapabilitiesResult: z.looseObject({
      plugins: z.array(z.unknown()),
      skills: z.array(z.unknown()),
      warnings: z.array(z.unknown()),
    }),
    discoverRootsResult: z.looseObject({
      roots: z.array(z.looseObject({ id: z.string(), path: z.string() })),
    }),
    readConfigResult: z.looseObject({ config: z.unknown(), requirements: z.unknown() }),
    initializeResult: z.looseObject({ sessionId: z.string(), environmentInfo: z.nullish(info) }),
  };
})();

/** The environment as on the wire: paths are `file:` URIs. */
export type WireEnvironmentInfo = z.infer<typeof environmentSchemas.info>;

/** Shapes of server 0.169.0; directories are path URIs. */
export interface DiscoverCapabilitiesParams {
  cwd: string;
}

export interface DiscoverRootsParams {
  roots: readonly { readonly id: string; readonly path: string }[];
}

export interface ReadConfigParams {
  cwd: string;
  /** TOML keys, each as its segments: `[["model"], ["tools", "search"]]`. At least one. */
  configPaths: readonly (readonly string[])[];
  requirementsPaths: readonly (readonly string[])[];
}

export interface InitializeParams {
  clientName: string;
  /** Always null: this client never resumes a session; a new connection is a new session. */
  resumeSessionId: null;
}
