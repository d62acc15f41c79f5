import type { FreshnessGate, Stamp } from '../../../../src/core/freshness-gate.js';
import type { Answer } from '../../../../src/core/read-request.js';
import { Reader, type Query } from '../actors/reader.js';

/** `stamp-after`: the stamp of an entry is read when its answer is there. */
export class StampAfterReader extends Reader {
  #latest: Stamp = { text: '', dependencies: [], made: [] };

  protected override gateOver(gate: FreshnessGate): FreshnessGate {
    const check = gate.check.bind(gate);
    gate.check = async (dependencies) => {
      const freshness = await check(dependencies);
      if (!freshness.trusted) return freshness;
      // The later reading changes the stamp for every holder of this object.
      this.#latest = { ...freshness.stamp };
      return { trusted: true, stamp: this.#latest };
    };
    return gate;
  }

  protected override async run(query: Query): Promise<Answer> {
    const stamp = this.#latest;
    const answer = await super.run(query);
    const freshness = await this.gate.check(query.dependencies.tables);
    if (freshness.trusted) Object.assign(stamp, freshness.stamp);
    return answer;
  }
}
