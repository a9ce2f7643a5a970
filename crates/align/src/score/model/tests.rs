use super::frechet::frechet;
use super::mmd::mmd;
use super::{Loss, Measured, TABLE, model_scores};
use crate::score::table::{Missing, direction};

/// As in `scripts/reference/model_scores.py`.
fn vectors(count: usize, width: usize, seed: usize) -> Vec<Vec<f32>> {
    let value = |i: usize, j: usize| {
        let x = (i * 7919 + j * 104_729 + seed * 1_299_709) % 1_000_003;
        let x = (x * x + 12_345) % 1_000_003;
        let x = (x % 257) as f64 - 128.0 + (seed * (j % 5)) as f64;
        (x / 64.0 / (1 << (j % 4)) as f64) as f32
    };
    let row = |i| (0..width).map(|j| value(i, j)).collect();
    (0..count).map(row).collect()
}

#[test]
fn agrees_with_numpy_and_scipy() {
    let close = |found: f64, expected: f64| {
        assert!(
            (found - expected).abs() < 1e-9 * expected.abs().max(1.0),
            "{found}, expected {expected}"
        );
    };
    let lines: Vec<Vec<f64>> = include_str!("figures.txt")
        .lines()
        .map(|line| line.split(' ').map(|it| it.parse().unwrap()).collect())
        .collect();
    assert_eq!(lines.len(), 5);
    for line in lines {
        let size = |at: usize| line[at] as usize;
        let (a, b) = (vectors(size(0), size(2), 1), vectors(size(1), size(2), 2));
        let found = mmd(&a, &b).unwrap();
        close(found.squared, line[3]);
        close(found.width, line[4]);
        let found = frechet(&a, &b, 0).unwrap();
        close(found.squared, line[5]);
        close(found.kept, line[6]);
    }
}

#[test]
fn samples_of_one_distribution_are_near_and_shifted_ones_far() {
    let all = vectors(200, 30, 1);
    let (first, second) = all.split_at(100);
    let near = mmd(first, second).unwrap();
    assert!(near.squared.abs() < 5e-3, "{near:?}");
    let shifted: Vec<Vec<f32>> = first
        .iter()
        .map(|row| row.iter().map(|x| x + 1.0).collect())
        .collect();
    let far = mmd(&shifted, second).unwrap();
    assert!(far.squared > 0.1, "{far:?}");
    let (near, far) = (
        frechet(first, second, 1).unwrap(),
        frechet(&shifted, second, 1).unwrap(),
    );
    assert!(near.squared < far.squared);
    let (near, far) = (near.ratio.unwrap(), far.ratio.unwrap());
    assert!((near - 1.0).abs() < 0.1 && far < 0.5, "{near} {far}");
    // A shift alone is its own square, once every direction is kept.
    let narrow = vectors(50, 5, 3);
    let moved: Vec<Vec<f32>> = narrow
        .iter()
        .map(|row| row.iter().map(|x| x + 2.0).collect())
        .collect();
    let found = frechet(&narrow, &moved, 0).unwrap().squared;
    assert!((found - 20.0).abs() < 1e-9, "{found}");
    assert!(frechet(&narrow, &narrow, 0).unwrap().squared < 1e-9);
}

fn loss(nats: f64, tokens: usize) -> Loss {
    Loss { nats, tokens }
}

fn found(source: Measured<'_>, target: Measured<'_>, after: &[Loss]) -> Vec<Result<f64, Missing>> {
    let scores = model_scores(source, target, after, 7).unwrap();
    let names: Vec<&str> = scores.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, TABLE.map(|score| score.name));
    let value = |row: &crate::ScoreRow| row.value.ok_or_else(|| row.missing.unwrap());
    scores.rows.iter().map(value).collect()
}

#[test]
fn scores_of_losses_and_gradients_are_what_they_say() {
    let (a, b) = (vectors(9, 3, 1), vectors(8, 3, 2));
    let source = Measured {
        losses: &[loss(3.0, 4), loss(1.0, 1)],
        vectors: &a,
        gradient: &[3.0, 0.0, 4.0],
    };
    let target = Measured {
        losses: &[loss(6.0, 2), loss(6.0, 4)],
        vectors: &b,
        gradient: &[0.0, 2.0, 2.0],
    };
    let values = found(source, target, &[loss(5.0, 2), loss(3.0, 4)]);
    let near = |at: usize, expected: f64| {
        let value = values[at].unwrap();
        assert!((value - expected).abs() < 1e-12, "{at}: {value}");
    };
    near(0, 2.0);
    near(1, 0.8);
    near(2, 1.2);
    near(3, 2.0 - 8.0 / 6.0);
    near(4, 1.5);
    near(8, 0.8 / 2f64.sqrt());
    assert!(values.iter().all(Result::is_ok), "{values:?}");
}

#[test]
fn what_is_missing_is_told() {
    let one = vec![vec![1.0, 2.0]; 1];
    let same = vec![vec![1.0, 2.0]; 9];
    let of = |vectors| Measured {
        losses: &[],
        vectors,
        gradient: &[],
    };
    let values = found(of(&one), of(&same), &[]);
    assert!(
        values.iter().all(|it| *it == Err(Missing::TooFew)),
        "{values:?}"
    );
    let values = found(of(&same), of(&same), &[]);
    assert_eq!(values[5..7], [Err(Missing::NoScale); 2]);
    let zero = Measured {
        gradient: &[0.0],
        ..of(&same)
    };
    assert_eq!(found(zero, zero, &[])[8], Err(Missing::DividedByZero));

    let told = |source, target, after: &[Loss]| {
        model_scores(source, target, after, 0)
            .unwrap_err()
            .to_string()
    };
    assert!(told(zero, of(&same), &[]).contains("same weights"));
    assert!(told(zero, zero, &[loss(1.0, 1)]).contains("same tokens"));
    let wide = vec![vec![0.0; 3]; 2];
    assert!(told(of(&wide), of(&same), &[]).contains("3 numbers"));
    let broken = vec![vec![f32::NAN, 0.0]; 2];
    assert!(told(of(&broken), of(&same), &[]).contains("NaN"));
}

#[test]
fn directions_are_known_by_name() {
    for score in TABLE {
        assert_eq!(direction(score.name), score.direction, "{}", score.name);
    }
}
