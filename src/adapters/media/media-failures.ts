/** How looking at foreign bytes can fail. Each message is a sentence for people. */

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

/** The input needs more than anything of its kind may, or breaks the code that reads it: final. */
export class TooMuch extends Error {
  override readonly name = 'TooMuch';
}

/** The child was ended from outside or fell silent, twice: the input may be innocent. */
export class ChildLost extends Error {
  override readonly name = 'ChildLost';
}
