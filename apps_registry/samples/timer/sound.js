// Two sounds without a sound file: the tones are made by WebAudio.
const TONES = {
  bell: [[880, 0, 1.6], [1320, 0, 1.1], [880, 0.7, 1.6]], // [Hz, starts after s, fades for s]
  beep: [[1000, 0, 0.15], [1000, 0.25, 0.15], [1000, 0.5, 0.15]],
  off: [],
};
let audio = null;

// Browsers let a page sound only after somebody touched it.
for (const event of ["pointerdown", "keydown"]) {
  addEventListener(event, () => (audio ??= new AudioContext()).resume());
}

export function ring(sound) {
  if (!audio) return;
  for (const [frequency, after, fade] of TONES[sound] ?? []) {
    const tone = new OscillatorNode(audio, { frequency });
    const volume = new GainNode(audio, { gain: 0.25 });
    const start = audio.currentTime + after;
    tone.connect(volume).connect(audio.destination);
    volume.gain.setValueAtTime(0.25, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + fade);
    tone.start(start);
    tone.stop(start + fade);
  }
}
