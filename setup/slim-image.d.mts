export interface LeftOut {
  why: string;
  /** Below node_modules; all of it when empty. */
  in: string;
  only?: RegExp;
  but?: (name: string) => boolean;
}

export const LEFT_OUT: readonly LeftOut[];

/** Removes the row's files below `folder`; how many bytes they had. */
export function leaveOut(folder: string, row: Omit<LeftOut, 'why'>): number;
