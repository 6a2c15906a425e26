import { describe, expect, test } from "vitest";
import { HEAD } from "../../src/models/head.ts";
import type { Callback } from "../../src/train/callback.ts";
import { everyState, run } from "./fitting.ts";

describe("a callback", () => {
  test("scales the learning rate of all further steps, and says so in reports", async () => {
    const rates: number[] = [];
    const { history } = await run({
      callbacks: [
        {
          name: "scale",
          onStep: ({ step, learningRate }, control) => {
            rates.push(learningRate);
            if (step === 2) control.scaleLearningRate(0.5);
          },
          onEpochEnd: ({ epoch }, control) => (epoch === 2 ? control.scaleLearningRate(4) : undefined),
        },
      ],
    });
    expect(rates).toEqual([...new Array(2).fill(0.05), ...new Array(6).fill(0.025), ...new Array(8).fill(0.1)]);
    expect(history.map(({ learningRate }) => learningRate)).toEqual([0.025, 0.025, 0.1, 0.1]);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("cannot scale it by %d", async (factor) => {
    const callbacks: Callback[] = [{ name: "scale", onPhaseStart: (_, control) => control.scaleLearningRate(factor) }];
    await expect(run({ callbacks })).rejects.toThrow(`scaleLearningRate requires a number above 0, got ${factor}.`);
  });

  test("is told of the phase, of every step, of every epoch and of the end, in the order of the list", async () => {
    const told: string[] = [];
    const teller = (name: string): Callback => ({
      name,
      onPhaseStart: ({ phase, epochs, stepsPerEpoch, epochsDone }) =>
        void told.push(`${name} starts ${phase}: ${epochs} epochs of ${stepsPerEpoch}, ${epochsDone} done`),
      onStep: async ({ phase, epoch, step }) => {
        await Promise.resolve();
        told.push(`${name} ${phase} ${epoch}/${step}`);
      },
      onEpochEnd: ({ epoch, steps }) => void told.push(`${name} epoch ${epoch} after ${steps}`),
      onPhaseEnd: async () => {
        await Promise.resolve();
        told.push(`${name} ends`);
      },
    });
    const { states, checkpoints } = everyState();
    const options = { phase: "last", epochs: 2, batchSize: 16, callbacks: [teller("a"), teller("b")] };
    await run({ ...options, checkpoints });
    const both = (text: string): string[] => [`a ${text}`, `b ${text}`];
    const wanted = [
      ...both("starts last: 2 epochs of 2, 0 done"),
      ...["last 1/1", "last 1/2", "epoch 1 after 2", "last 2/3", "last 2/4", "epoch 2 after 4", "ends"].flatMap(both),
    ];
    expect(told).toEqual(wanted);
    told.length = 0;
    await run({ ...options, from: states[3] }); // after the third step
    expect(told).toEqual([
      ...both("starts last: 2 epochs of 2, 1 done"),
      ...["last 2/4", "epoch 2 after 4", "ends"].flatMap(both),
    ]);
  });

  test("is told of the end where training fails, and what failed first counts", async () => {
    let ends = 0;
    const failing: Callback = {
      name: "failing",
      onStep: () => {
        throw new Error("step");
      },
      onPhaseEnd: () => {
        ends++;
        throw new Error("end");
      },
    };
    await expect(run({ callbacks: [failing, failing] })).rejects.toThrow("step");
    expect(ends).toBe(2);
    await expect(run({ callbacks: [{ ...failing, onStep: () => {} }] })).rejects.toThrow("end");
  });

  test("asks for a checkpoint after the epoch, also where one was due within it", async () => {
    const { states, checkpoints } = everyState(() => false);
    const asking: Callback = { name: "ask", onStep: ({ step }, control) => (step === 5 ? control.save() : undefined) };
    await run({ callbacks: [asking], checkpoints });
    expect(states.map(({ epoch, done }) => [epoch, done])).toEqual([[3, 0]]);
    let steps = 0;
    const often = everyState((after) => after === "step" && ++steps === 6);
    await run({ callbacks: [asking], checkpoints: often.checkpoints });
    expect(often.states.map(({ epoch, done }) => [epoch, done])).toEqual([
      [2, 16],
      [3, 0],
    ]);
  });

  test("gets a copy of the parameters", async () => {
    const seen: number[][] = [];
    const { weights } = await run({
      callbacks: [
        {
          name: "copy",
          onEpochEnd: async (_, control) => {
            const { data } = (await control.parameters()).get(HEAD.weight)!;
            seen.push([...data]);
            data.fill(1e9);
          },
        },
      ],
    });
    expect(seen).toHaveLength(4);
    expect(seen.at(-1)).toEqual([...weights]);
  });

  test("takes up what it remembered: of the state, else of the phase before", async () => {
    const counter = () => {
      let count = 0;
      const callback: Callback = {
        name: "count",
        onEpochEnd: () => void count++,
        state: () => ({ count }),
        restore: (state) => {
          count = (state as { count: number }).count;
        },
      };
      return { callback, count: () => count };
    };
    const silent: Callback = { name: "silent" };
    const { states, checkpoints } = everyState((after) => after === "epoch");
    const first = counter();
    const { callbacks } = await run({ callbacks: [silent, first.callback], checkpoints });
    expect(callbacks).toEqual({ "1 count": { count: 4 } });
    const next = counter();
    await run({ callbacks: [silent, next.callback], remembered: callbacks });
    expect(next.count()).toBe(8);
    const continued = counter();
    await run({ callbacks: [silent, continued.callback], remembered: callbacks, from: states[2] });
    expect(continued.count()).toBe(4); // 3 in the state, and the last
  });

  describe("that fails", () => {
    /** Fails once, and counts the steps and epochs that it is told of. */
    function failing(when: "onStep" | "onEpochEnd" | "onPhaseStart" | "onPhaseEnd", at = 0) {
      const told: string[] = [];
      let failed = false;
      const fail = (hook: typeof when, count = 0): void => {
        if (hook === when && count === at && !failed) {
          failed = true;
          throw new Error("mine");
        }
        told.push(`${hook} ${count}`);
      };
      const callback: Callback = {
        name: "failing",
        onPhaseStart: () => fail("onPhaseStart"),
        onStep: ({ step }) => fail("onStep", step),
        onEpochEnd: ({ epoch }) => fail("onEpochEnd", epoch),
        onPhaseEnd: () => fail("onPhaseEnd"),
      };
      return { told, callback };
    }

    test.each([
      ["onStep", 6, [2, 16]],
      ["onEpochEnd", 2, [2, 30]],
      ["onEpochEnd", 4, [4, 30]],
      ["onPhaseEnd", 0, [5, 0]],
    ] as const)("in %s %d is named, after the state was kept", async (hook, at, place) => {
      const wanted = await run({ soup: 2, keepStart: true });
      const { callback, told } = failing(hook, at);
      const { states, checkpoints } = everyState(() => false);
      const options = { soup: 2, keepStart: true, callbacks: [callback] };
      await expect(run({ ...options, checkpoints })).rejects.toMatchObject({
        message: `the callback "failing" failed in ${hook}: mine.`,
        cause: new Error("mine"),
      });
      expect(states.map(({ epoch, done }) => [epoch, done])).toEqual([place]);
      const { weights, history, bestEpoch, averaged } = await run({ ...options, from: states[0] });
      expect({ weights, history, bestEpoch, averaged }).toEqual({
        weights: wanted.weights,
        history: wanted.history,
        bestEpoch: wanted.bestEpoch,
        averaged: wanted.averaged,
      });
      if (hook === "onEpochEnd") expect(told.filter((text) => text.startsWith(hook))).toHaveLength(4); // told again
    });

    test("as the phase starts has nothing to keep, and where the state cannot be kept its own error counts", async () => {
      const { states, checkpoints } = everyState(() => false);
      await expect(run({ callbacks: [failing("onPhaseStart").callback], checkpoints })).rejects.toThrow("mine");
      expect(states).toEqual([]);
      const save = () => Promise.reject(new Error("full"));
      const full = { due: () => false, save };
      await expect(run({ callbacks: [failing("onStep", 2).callback], checkpoints: full })).rejects.toThrow("mine");
    });

    test("leaves callbacks what they remembered before they were told", async () => {
      const counter = () => {
        let count = 0;
        const callback: Callback = {
          name: "count",
          onEpochEnd: () => void count++,
          state: () => count,
          restore: (state) => {
            count = Number(state);
          },
        };
        return callback;
      };
      const { states, checkpoints } = everyState(() => false);
      await expect(run({ callbacks: [counter(), failing("onEpochEnd", 3).callback], checkpoints })).rejects.toThrow();
      expect(states[0]!.callbacks).toEqual({ "0 count": 2 });
      const { callbacks } = await run({ callbacks: [counter()], from: states[0] });
      expect(callbacks).toEqual({ "0 count": 4 });
    });
  });

  test("ends the run, not the phase alone, and a fit that goes on knows it", async () => {
    const stopper: Callback = {
      name: "stop",
      onStep: ({ step }, control) => (step === 2 ? control.stop("all", { all: true }) : undefined),
    };
    const { states, checkpoints } = everyState();
    const { callbacks, stopped, history } = await run({ callbacks: [stopper], checkpoints });
    expect([callbacks, stopped, history.length]).toEqual([{ run: "ends" }, "all", 1]);
    const again = await run({ from: states[2] });
    expect([again.callbacks, again.stopped]).toEqual([{ run: "ends" }, "all"]);
    expect((await run({ remembered: callbacks })).callbacks).toEqual({});
  });

  test("that stops a phase as it starts leaves the start, or one epoch where the start does not count", async () => {
    const callbacks: Callback[] = [{ name: "stop", onPhaseStart: (_, control) => control.stop("no") }];
    const kept = await run({ callbacks, keepStart: true });
    expect([kept.history.length, kept.bestEpoch, kept.stopped]).toEqual([0, 0, "no"]);
    const trained = await run({ callbacks });
    expect([trained.history.length, trained.bestEpoch, trained.stopped]).toEqual([1, 1, "no"]);
  });
});
