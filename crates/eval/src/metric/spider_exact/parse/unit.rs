//! Columns with aggregates and operators over them: `parse_col_unit` and `parse_val_unit` of the script.

use super::super::tree::{Aggregate, ColumnUnit, UnitOperator, ValueUnit};
use super::cursor::Cursor;
use super::scope::Scope;

/// A column, or an aggregate of one. The bracket before an aggregate is left open, as in the script.
pub fn column_unit<'a>(
    cursor: &mut Cursor<'a>,
    scope: &Scope<'a>,
    tables: &[&'a str],
) -> Option<ColumnUnit> {
    let block = cursor.take("(");
    let aggregate = Aggregate::of(cursor.peek()?);
    if aggregate.is_some() {
        cursor.next();
        cursor.expect("(")?;
    }
    let distinct = cursor.take("distinct");
    let column = scope.column(cursor.next()?, tables)?;
    if aggregate.is_some() || block {
        cursor.expect(")")?;
    }
    Some(ColumnUnit {
        aggregate: aggregate.unwrap_or(Aggregate::None),
        column,
        distinct,
    })
}

/// A column unit, or two with an operator between them.
pub fn value_unit<'a>(
    cursor: &mut Cursor<'a>,
    scope: &Scope<'a>,
    tables: &[&'a str],
) -> Option<ValueUnit> {
    let block = cursor.take("(");
    let left = column_unit(cursor, scope, tables)?;
    let operator = cursor.peek().and_then(UnitOperator::of);
    let right = match operator {
        Some(_) => {
            cursor.next();
            Some(column_unit(cursor, scope, tables)?)
        }
        None => None,
    };
    if block {
        cursor.expect(")")?;
    }
    Some(ValueUnit {
        operator: operator.unwrap_or(UnitOperator::None),
        left,
        right,
    })
}
