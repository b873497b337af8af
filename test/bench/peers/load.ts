import { installedPeers } from "../peers.ts";

/** From here, where the peers are installed. */
export async function load<Module>(name: string): Promise<Module> {
  installedPeers();
  return (await import(name)) as Module;
}
