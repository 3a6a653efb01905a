/** States of npm `swim`. */
export const swimStates = { alive: 0, suspect: 1, faulty: 2 } as const;
