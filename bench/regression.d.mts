export interface Aim {
  aim: string;
  value: number;
  limit?: number;
  atLeast?: number;
}
export declare function compareRatios(
  base: Aim[],
  change: Aim[],
  tolerance: number,
): { aim: string; before: number; after: number; worse: number; regressed: boolean }[];
