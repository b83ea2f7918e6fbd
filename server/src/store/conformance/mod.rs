//! What every backend promises, as cases that both must pass: one list, a named test per case per backend.
//!
//! A case is an async function that is given a `World`: a store of its own, new for this case. The PostgreSQL half
//! needs a server, named by TEST_DATABASE_URL; without one it fails, because a skipped promise is none.

mod backends;
mod changes;
mod concurrency;
mod equivalence;
mod filter;
pub mod fixtures;
mod idempotency;
mod isolation;
mod maintenance;
mod population;
mod preferences;
mod profiles;
mod purging;
pub(super) mod reference;
mod search;
mod search_grams;
mod search_memory;
mod search_pages;
mod spelling;
mod tenants;
mod uniqueness;
mod users;

/// Makes a test of every case for each backend, on a store that is `migrated` or still `fresh`.
macro_rules! conformance {
    (searches $($rest:tt)+) => {
        conformance! { $($rest)+ }
        // The ways that a search takes in a large tenant, taken in a small one; and again, once it is remembered.
        conformance! { @backend sqlite_by_grams: $($rest)+ }
        conformance! { @backend sqlite_by_scans: $($rest)+ }
        conformance! { @backend sqlite_by_names: $($rest)+ }
        conformance! { @backend sqlite_remembering: $($rest)+ }
        conformance! { @backend postgres_by_grams: $($rest)+ }
        conformance! { @backend postgres_by_scans: $($rest)+ }
        conformance! { @backend postgres_by_names: $($rest)+ }
        conformance! { @backend postgres_by_words: $($rest)+ }
        conformance! { @backend postgres_remembering: $($rest)+ }
    };
    ($($state:ident $resource:ident { $($case:ident),+ $(,)? })+) => {
        conformance! { @backend sqlite: $($state $resource { $($case),+ })+ }
        conformance! { @backend postgres: $($state $resource { $($case),+ })+ }
    };
    (@backend $backend:ident: $($state:ident $resource:ident { $($case:ident),+ $(,)? })+) => {
        mod $backend {$(
            mod $resource {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use $crate::store::conformance::{$resource as cases, backends};
                    backends::$backend::$state(cases::$case).await;
                }
            )+}
        )+}
    };
}

conformance! {
    fresh maintenance {
        the_first_migration_makes_the_first_tenant,
        migrating_again_changes_nothing,
        many_may_migrate_at_once,
        a_deleted_first_tenant_stays_deleted,
        everybody_is_told_the_same_secret,
        a_closed_store_is_unavailable,
    }
    migrated profiles {
        a_profile_reads_back_as_it_was_written,
        the_smallest_and_the_largest_values_read_back,
        names_in_every_script_read_back,
        coordinates_read_back_to_the_last_bit,
        attributes_read_back_as_the_same_text,
        an_unknown_profile_is_not_found,
        an_update_of_every_field_is_seen_at_once,
        fields_can_be_cleared,
        an_update_of_an_old_version_changes_nothing,
        an_update_of_a_profile_that_is_gone_changes_nothing,
        several_profiles_change_together_or_not_at_all,
        a_duplicate_among_several_changes_none_of_them,
        a_deleted_profile_can_still_be_read,
        a_restored_profile_is_as_before,
    }
    migrated purging {
        a_purged_profile_is_gone,
        a_deleted_profile_can_be_purged,
        a_purge_of_an_old_version_erases_nothing,
        several_profiles_are_purged_together_or_not_at_all,
        purging_a_user_erases_the_preferences,
        preferences_stay_while_a_profile_is_left_in_any_state,
        purging_erases_the_recorded_answers_that_show_the_profile,
        answers_that_show_preferences_go_with_the_last_profile,
        purging_spares_the_same_user_of_another_tenant,
        purging_frees_the_identifiers,
    }
    migrated uniqueness {
        a_user_has_one_profile_of_each_type,
        an_email_belongs_to_one_user,
        a_mobile_belongs_to_one_user,
        emails_that_differ_in_writing_only_are_one,
        a_users_own_profiles_may_share_email_and_mobile,
        an_update_to_what_another_user_has_is_refused,
        an_update_that_keeps_its_own_identifiers_is_no_duplicate,
        moving_a_profile_to_another_user_must_not_split_an_email,
        deleting_a_user_frees_the_user_id_and_type,
        deleting_a_user_frees_the_email,
        deleting_a_user_frees_the_mobile,
        changing_an_email_frees_the_old_one,
        restoring_takes_the_identifiers_back,
        restoring_is_refused_while_another_has_them,
        the_same_person_may_be_in_two_tenants,
        a_refused_create_leaves_no_trace,
        a_refused_update_leaves_no_trace,
    }
    migrated concurrency {
        one_of_many_simultaneous_creates_of_an_email_wins,
        one_of_many_simultaneous_creates_of_a_mobile_wins,
        one_of_many_simultaneous_creates_of_a_user_wins,
        one_of_a_restore_and_many_creates_wins,
        one_of_many_simultaneous_updates_to_an_email_wins,
        crossing_claims_never_end_in_an_error,
        simultaneous_updates_lose_none,
        simultaneous_updates_of_several_profiles_lose_none,
        a_tenant_is_never_deleted_under_a_new_profile,
        one_of_many_simultaneous_sets_creates_the_preference,
        a_purge_and_a_preference_never_leave_an_orphan,
        an_abandoned_write_is_done_whole_or_not_at_all,
    }
    migrated users {
        a_user_is_all_profiles_in_every_state_oldest_first,
        an_unknown_user_has_nothing,
        user_ids_are_compared_exactly,
        a_user_who_was_moved_is_found_under_the_new_id,
    }
    migrated preferences {
        a_preference_is_created_then_replaced,
        every_kind_of_value_reads_back_as_the_same_text,
        keys_are_compared_exactly,
        a_user_who_is_not_there_has_no_preferences,
        deleting_a_preference_says_whether_there_was_one,
        preferences_are_hidden_while_the_user_is_deleted_and_come_back,
        one_live_profile_is_enough_to_have_preferences,
        a_user_who_comes_back_after_a_purge_has_no_preferences,
    }
    migrated tenants {
        a_tenant_reads_back_as_it_was_written,
        an_unknown_tenant_is_not_found,
        a_tenant_name_stands_once,
        an_update_of_an_old_version_changes_nothing,
        tenants_are_listed_by_name_in_pages,
        only_the_tenants_asked_for_are_listed,
        a_tenant_with_a_live_profile_is_not_deleted,
        a_deleted_tenant_leaves_nothing_behind,
        a_delete_of_an_old_version_deletes_nothing,
        a_suspended_tenant_can_be_administered,
        suspending_is_felt_at_once_and_so_is_its_end,
    }
    migrated isolation {
        an_unknown_tenant_is_refused_by_every_method,
        a_suspended_tenant_is_refused_by_every_method,
        nothing_of_another_tenant_can_be_read,
        nothing_of_another_tenant_can_be_changed,
    }
    migrated idempotency {
        what_was_recorded_is_read_back,
        every_kind_of_write_records_its_answer,
        an_answer_says_whether_the_preference_was_created,
        a_write_that_did_nothing_is_not_recorded,
        a_request_that_found_nothing_to_change_is_recorded,
        a_key_that_was_recorded_is_refused_and_nothing_is_written,
        keys_of_two_subjects_never_meet,
        keys_of_two_tenants_never_meet,
        an_answer_is_kept_for_a_day,
        a_key_can_be_used_again_after_a_day,
        one_of_many_simultaneous_uses_of_a_key_is_carried_out,
        simultaneous_repeats_are_told_that_they_are_repeats,
        sweeping_removes_what_is_old_and_nothing_else,
        a_deleted_tenant_still_answers_its_own_retry,
    }
    migrated spelling {
        whether_anybody_has_a_word_is_known_at_once,
        a_typo_of_each_kind_finds_the_word,
        every_script_with_spaces_is_corrected,
        frequent_words_come_before_rare_ones,
        what_begins_otherwise_is_no_sample,
        no_more_is_sampled_than_was_asked_for,
        of_all_or_none_what_few_have_is_shown_whole,
        words_of_deleted_profiles_are_sampled_only_when_asked_for,
        words_of_another_tenant_are_never_sampled,
        tenants_whose_grams_collide_are_told_no_words_of_each_other,
        signs_of_query_languages_are_text_in_a_sample,
    }
    migrated changes {
        every_kind_of_write_is_logged_once,
        one_write_of_several_profiles_logs_each,
        who_when_and_what_read_back,
        pages_of_changes_meet_without_gap_or_overlap,
        a_reader_misses_nothing_while_others_write,
        versions_of_a_profile_are_logged_in_order,
        a_preference_is_logged_in_the_order_in_which_it_changed,
        a_user_id_that_passes_on_is_logged_in_order,
    }
}

mod searches {
    conformance! {
        searches
        migrated search {
            people_are_found_by_the_beginnings_of_their_words,
            every_word_must_be_found,
            no_word_reaches_from_one_field_into_the_next,
            wildcards_and_query_syntax_are_text,
            a_search_without_words_finds_everybody,
            deleted_profiles_are_found_only_when_asked_for,
            a_search_sees_every_write_at_once,
            a_filter_narrows_what_is_found,
            another_tenants_profiles_are_not_counted,
            common_and_rare_words_are_found_alike,
            many_words_and_long_words_are_found,
        }
        migrated search_grams {
            tenants_whose_grams_collide_show_nothing_of_each_other,
            the_shortest_words_are_found_in_every_script,
            a_change_of_one_field_is_found_by_that_field_at_once,
            a_name_that_changes_in_its_signs_alone_is_found_at_its_new_place,
            those_near_a_place_are_found_and_come_in_the_order_of_their_distance,
            every_writer_finds_what_it_wrote_at_once,
        }
        migrated search_pages {
            every_order_is_strict_and_complete,
            pages_by_position_show_every_profile_once,
            pages_by_offset_show_every_profile_once,
            a_page_says_whether_more_follow,
            pages_stay_right_while_others_come_and_go,
            a_page_behind_a_profile_that_is_gone_goes_on_there,
            counting_stops_at_a_thousand,
            those_who_have_a_word_come_in_the_order_of_their_names,
        }
        migrated search_memory {
            a_total_that_was_counted_falls_with_the_next_change,
            any_search_that_is_asked_again_agrees_with_the_reference,
            a_search_that_is_asked_again_sees_every_write_of_others_at_once,
        }
        migrated filter {
            every_operator_on_every_field_agrees_with_the_reference,
            attributes_are_compared_within_their_own_type,
            those_born_in_a_countrys_years_are_found,
            any_filter_agrees_with_the_reference,
            any_search_agrees_with_the_reference,
        }
    }
}
