/** How parsing and decoding bytes from outside can fail. Each message is a sentence for users. */

export class NotAVideo extends Error {
  override readonly name = 'NotAVideo';
}

export class NotAnImage extends Error {
  override readonly name = 'NotAnImage';
}

/** An image cannot be used in a composite; `index` counts scene, characters, objects in the order they are drawn. */
export class BadPart extends Error {
  override readonly name = 'BadPart';
  readonly index: number;
  constructor(index: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.index = index;
  }
}

/** The input exceeds a limit of its task, or crashes the code that reads it: final. */
export class TooMuch extends Error {
  override readonly name = 'TooMuch';
}

/** Two children were killed from outside or fell silent: the input may not be at fault. */
export class ChildLost extends Error {
  override readonly name = 'ChildLost';
}
