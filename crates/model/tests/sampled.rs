//! Answers whose tokens are drawn: the same bits at any batch size, in any order and whatever else is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod tiny;

use harness_model::{
    Draws, Engine, Event, GenerateOptions, Generation, ModelError, Sampling, Stream, answer_stream,
};
use tiny::{KINDS, tiny, tokens};

const DRAWN: Sampling = Sampling {
    temperature: 1.3,
    top_k: Some(40),
    top_p: 0.95,
};

fn options(batch_size: usize) -> GenerateOptions {
    GenerateOptions {
        batch_size,
        max_new_tokens: 16,
        end_tokens: vec![2, 17],
        cache_bytes: None,
    }
}

fn answer(
    engine: &Engine<'_>,
    asked: &[(Vec<u32>, Stream)],
    sampling: Sampling,
    batch_size: usize,
) -> Vec<Generation> {
    let (prompts, streams): (Vec<_>, Vec<_>) = asked.iter().cloned().unzip();
    let draws = Draws {
        sampling,
        streams: &streams,
    };
    let mut answers = vec![None; prompts.len()];
    let mut begun = Vec::new();
    let mut passes = 0;
    let work = engine
        .answer::<ModelError>(
            &prompts,
            Some(draws),
            &options(batch_size),
            &|_| false,
            &mut |event| {
                match event {
                    Event::Begun(index) => begun.push(index),
                    Event::Passed(work) => {
                        passes += 1;
                        assert_eq!(work.passes, passes);
                    }
                    Event::Done(index, answer) => {
                        assert!(begun.contains(&index));
                        assert!(answers[index].replace(answer).is_none());
                    }
                }
                Ok(())
            },
        )
        .unwrap();
    assert_eq!((work.passes, begun.len()), (passes, prompts.len()));
    answers.into_iter().map(Option::unwrap).collect()
}

/// Three answers to each of 15 prompts, some of which begin alike.
fn asked() -> Vec<(Vec<u32>, Stream)> {
    let shared = tokens(1, 40);
    (0..45)
        .map(|number| {
            let (question, sample) = (number / 3, number as u64 % 3);
            let mut prompt = shared[..(question * 7) % 41].to_vec();
            prompt.extend(tokens(100 + question as u64, 1 + question % 9));
            (prompt, answer_stream(3, &question.to_string(), sample))
        })
        .collect()
}

#[test]
fn a_drawn_answer_does_not_depend_on_its_neighbours() {
    for kind in KINDS {
        let tiny = tiny(kind, 21);
        let engine = Engine::new(&tiny.decoder, None);
        let mut asked = asked();
        let alone = answer(&engine, &asked, DRAWN, 1);
        assert_eq!(alone, answer(&engine, &asked, DRAWN, 3));
        assert_eq!(alone, answer(&engine, &asked, DRAWN, 8));
        for (one, expected) in asked.iter().zip(&alone).step_by(7) {
            let found = answer(&engine, std::slice::from_ref(one), DRAWN, 1);
            assert_eq!(found, std::slice::from_ref(expected));
        }
        asked.reverse();
        let mut reversed = answer(&engine, &asked, DRAWN, 3);
        reversed.reverse();
        assert_eq!(alone, reversed);
        // Samples of a question are answers of their own.
        let differ = alone
            .chunks(3)
            .filter(|it| it[0].tokens != it[1].tokens)
            .count();
        assert!(differ > 10, "{differ}");
    }
}

#[test]
fn one_candidate_is_the_greedy_answer() {
    let tiny = tiny(KINDS[0], 21);
    let engine = Engine::new(&tiny.decoder, None);
    let asked = asked();
    let prompts: Vec<Vec<u32>> = asked.iter().map(|(prompt, _)| prompt.clone()).collect();
    let mut greedy = vec![None; prompts.len()];
    engine
        .generate::<ModelError>(&prompts, &options(8), &|_| false, &mut |index, it| {
            greedy[index] = Some(it);
            Ok(())
        })
        .unwrap();
    let greedy: Vec<Generation> = greedy.into_iter().map(Option::unwrap).collect();
    for sampling in [
        Sampling::GREEDY,
        Sampling {
            top_k: Some(1),
            ..DRAWN
        },
        Sampling {
            top_p: 1e-9,
            ..DRAWN
        },
    ] {
        // The log-probabilities too: they are the model's own.
        assert_eq!(answer(&engine, &asked, sampling, 8), greedy);
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let tiny = tiny(KINDS[0], 21);
    let engine = Engine::new(&tiny.decoder, None);
    let refused = |sampling, streams: &[Stream]| {
        let draws = Draws { sampling, streams };
        let prompts = [tokens(1, 3), tokens(2, 3)];
        engine
            .answer::<ModelError>(&prompts, Some(draws), &options(2), &|_| false, &mut |_| {
                Ok(())
            })
            .unwrap_err()
            .to_string()
    };
    assert!(refused(DRAWN, &[[0; 32]]).contains("one for each prompt"));
    let wrong = Sampling {
        top_p: 0.0,
        ..DRAWN
    };
    assert!(refused(wrong, &[[0; 32]; 2]).contains("top_p"));
}
