import type { Engine, Model } from './engine.ts';
import { carefully } from './load-model.ts';
import { ModelPool, type Poolable } from './model-pool.ts';
import { Turns } from './turns.ts';

/** A model with the queue in front of it. */
export interface LoadedModel extends Poolable {
  readonly model: Model;
  readonly turns: Turns;
}

const pools = new WeakMap<Engine, ModelPool<LoadedModel>>();

/** The models that an engine has loaded: one pool for all adapters over it. */
export function poolOf(engine: Engine): ModelPool<LoadedModel> {
  let pool = pools.get(engine);
  if (!pool) {
    pool = new ModelPool(
      carefully(async options => {
        const model = await engine.load(options);
        return { model, turns: new Turns(model.facts.parallel), dispose: () => model.dispose() };
      }),
    );
    pools.set(engine, pool);
  }
  return pool;
}
