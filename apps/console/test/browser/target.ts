/** A gateway that the console's tests run against. */
export interface Target {
  baseUrl: string;
  adminKey: string;
  /** Two that answer any prompt with a stream of many words, over a second or more. */
  models: readonly [string, string];
  /** The one that {@link Actions.nodeDown} takes out. */
  node: string;
  /** It has budgets to show. */
  hasBudgets: boolean;
  actions: Actions;
  stop(): Promise<void>;
}

export interface Actions {
  /** Calls begin to come, several a second. */
  loadOn(): void | Promise<void>;
  loadOff(): void | Promise<void>;
  /** Resolves at once; the node is out within ten seconds. */
  nodeDown(): void | Promise<void>;
  nodeUp(): void | Promise<void>;
  /** Ends the gateway, and starts it anew at the same address. */
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
}
