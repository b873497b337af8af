import { invalid, received } from "../internal/arguments.ts";

/** A path and everything below it. */
export interface SandboxDirectory {
  /** Distinguishes it from other places. */
  readonly type: "path";
  /** The path, of a file or a directory. */
  readonly path: string;
}

/** The paths that match a pattern. */
export interface SandboxGlob {
  /** Distinguishes it from other places. */
  readonly type: "glob_pattern";
  /** A pattern of paths; a relative pattern depends on `cwd`. */
  readonly pattern: string;
}

/** The name of a place that the server determines. */
export type SandboxPlace =
  | "root"
  | "minimal"
  | "current_working_directory"
  | "project_roots"
  | "tmpdir"
  | "slash_tmp"
  | "unknown";

/** A place with its details, which depend on its kind. */
export interface SandboxPlaceValue {
  /** The kind of place; project roots and the working directory depend on `cwd` and `workspaceRoots`. */
  readonly kind: SandboxPlace;
  readonly [member: string]: unknown;
}

/** A place that the server determines. */
export interface SandboxSpecial {
  /** Distinguishes it from other places. */
  readonly type: "special";
  /** The place. */
  readonly value: SandboxPlaceValue;
}

/** A place that a sandboxed process or file operation may access. Shapes of server 0.169.0. */
export type SandboxPath = SandboxDirectory | SandboxGlob | SandboxSpecial;

/** A place, and the access to it. */
export interface SandboxEntry {
  /** The place. */
  readonly path: SandboxPath;
  /** For example `"read"` or `"write"`. */
  readonly access: string;
}

/** The files of some places. */
export interface SandboxRestrictedFiles {
  /** Distinguishes it from all files. */
  readonly type: "restricted";
  /** Places and the access to each. */
  readonly entries: readonly SandboxEntry[];
  readonly [member: string]: unknown;
}

/** All files. */
export interface SandboxUnrestrictedFiles {
  /** Distinguishes it from some files. */
  readonly type: "unrestricted";
}

/** Permissions that the server enforces. */
export interface SandboxManaged {
  /** Distinguishes it from other permissions. */
  readonly type: "managed";
  /** The accessible files: those of the entries, or all. */
  readonly file_system: SandboxRestrictedFiles | SandboxUnrestrictedFiles;
  /** Whether all of the network is open. */
  readonly network: "restricted" | "enabled";
}

/** No sandbox: everything is permitted. */
export interface SandboxDisabled {
  /** Distinguishes it from other permissions. */
  readonly type: "disabled";
}

/** Another sandbox around the server restricts the files. */
export interface SandboxExternal {
  /** Distinguishes it from other permissions. */
  readonly type: "external";
  /** Whether all of the network is open. */
  readonly network: "restricted" | "enabled";
}

/** The permissions of a sandbox: those of its entries, all, or those of another sandbox around the server. */
export type SandboxPermissions = SandboxManaged | SandboxDisabled | SandboxExternal;

/** The sandbox of a process or file operation. Sent unchanged, except for directories that no entry depends on. */
export interface SandboxContext {
  /** The permissions. */
  readonly permissions: SandboxPermissions;
  /** Level of the sandbox on a Windows server. @default "disabled" */
  readonly windowsSandboxLevel?: string | undefined;
  /** Base directory of relative entries, as a `file:` URL. Sent only if an entry depends on it. @default none */
  readonly cwd?: string | undefined;
  /** Directories of the project, as `file:` URLs. An empty list means no directories and is always sent. @default none */
  readonly workspaceRoots?: readonly string[] | undefined;
  /** On a Windows server: whether the sandbox has a private desktop. @default chosen by the server */
  readonly windowsSandboxPrivateDesktop?: boolean | undefined;
  /** On a Linux server: whether it uses its older sandbox, Landlock. @default chosen by the server */
  readonly useLegacyLandlock?: boolean | undefined;
}

/** The sandbox as on the wire: without the directories of this machine that no entry depends on. */
export function wireSandbox(sandbox: SandboxContext | null | undefined): SandboxContext | null {
  if (!sandbox) return null;
  checkPermissions(sandbox.permissions);
  const { cwd, workspaceRoots, windowsSandboxLevel = "disabled", ...rest } = sandbox;
  const relative = dependsOnDirectory(sandbox.permissions);
  return {
    ...rest,
    windowsSandboxLevel,
    ...(relative && cwd !== undefined ? { cwd } : {}),
    ...(workspaceRoots !== undefined && (relative || workspaceRoots.length === 0) ? { workspaceRoots } : {}),
  };
}

/** Whether a process in the sandbox can't use the network freely. */
export function restrictsNetwork(sandbox: SandboxContext | null | undefined): boolean {
  const permissions = sandbox?.permissions;
  return permissions !== undefined && permissions.type !== "disabled" && permissions.network === "restricted";
}

/** Checks what this side reads. The server checks the rest, and refuses what it does not know. */
function checkPermissions(permissions: SandboxPermissions): void {
  const { type } = permissions ?? {};
  if (type === undefined) {
    invalid(`sandbox.permissions must be an object with a type, got ${received(permissions)}`);
  }
  if (permissions.type !== "managed") return;
  const files = permissions.file_system;
  if (files?.type === undefined) {
    invalid(`sandbox.permissions.file_system must be an object with a type, got ${received(files)}`);
  }
  const entries = files.type === "restricted" ? files.entries : [];
  if (!Array.isArray(entries) || entries.some((entry) => !entry?.path)) {
    invalid(
      `sandbox.permissions.file_system.entries must be an array of objects with a path, got ${received(entries)}`,
    );
  }
}

function dependsOnDirectory(permissions: SandboxPermissions): boolean {
  if (permissions?.type !== "managed" || permissions.file_system.type !== "restricted") return false;
  return permissions.file_system.entries.some(({ path }) => {
    if (path.type === "special") return /^(current_working_directory|project_roots)$/.test(path.value.kind);
    return path.type === "glob_pattern" && !/^([/\\]|[a-z]:[/\\]|file:)/i.test(path.pattern);
  });
}
