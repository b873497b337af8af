// What a browser's bundler finds behind the entries for Node. No such file exists: its name is the sentence that every
// bundler quotes when the build fails for it.
export * from "./in a browser use webSocket() from exec-server-sdk; exec-server-sdk/node, /gateway and /testing/node run in Node only";
