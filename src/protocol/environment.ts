import * as z from "zod/mini";

/** Shapes of server 0.169.0. Every member is optional, because older servers send fewer. */
export const environmentSchemas = /* @__PURE__ */ (() => {
  const info = z.looseObject({
    /** The shell of the server's user. */
    shell: z.nullish(
      z.looseObject({
        /** For example `"bash"`. */
        name: z.string(),
        /** Its native path. */
        path: z.string(),
      }),
    ),
    /** The server's version. */
    executorVersion: z.nullish(z.string()),
    /** The provider of the machine, if the server reports it. */
    providerId: z.nullish(z.string()),
    /** The server's working directory: the default one of a process. */
    cwd: z.nullish(z.string()),
    /** The home directory of the server's user. */
    userHomeDir: z.nullish(z.string()),
    /** `"linux"`, `"macos"`, `"windows"` or another. */
    platformOs: z.nullish(z.string()),
    /** Directories that are searched before those of `PATH`. */
    prependPathDirs: z.nullish(z.array(z.string())),
    /** Directories for temporary files. */
    temporaryDirectories: z.nullish(z.array(z.string())),
    /** The directory for temporary files. */
    tempDir: z.nullish(z.string()),
    /** Optional features of the server, each by name. */
    capabilities: z.nullish(z.looseObject({})),
  });
  return {
    info,
    status: z.looseObject({
      /** `"ready"` if the server accepts requests. */
      status: z.string(),
    }),
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
/**
 * Whether the server accepts requests.
 * @interface
 */
export type EnvironmentStatus = z.infer<typeof environmentSchemas.status>;

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
